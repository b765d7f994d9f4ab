"""`python -m benchmarks`: FoodVision beside fastbook's app and the course's Gradio app. `make bench` runs it.

A full run writes `results.md` and `results.png` beside this file; a part of it (`--only`) prints its tables. It fails
where FoodVision misses a bar.
"""

import argparse
import asyncio
import signal
import subprocess
import sys

import psutil

from . import parts
from .apps import BenchmarkError
from .browser import chromium
from .photos import SIZES, photo
from .report import BARS, FOLDER, Results, markdown, plot

BUSY = 25  # percent of all cores, by other programs, from which on times mean little


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=_parts, help=f"parts, separated by commas: {', '.join(parts.PARTS)}")
    parser.add_argument("--repeats", type=int, default=3, help="samples of each measurement (default: 3)")
    parser.add_argument("--install", action="store_true", help="install each app afresh, too: gigabytes, and minutes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # what was started is ended on the way out
    wanted = options.only or list(parts.PARTS.values())
    results = Results()
    _note_busy(results)
    try:
        asyncio.run(_measure(wanted + [parts.fresh] * options.install, options.repeats, results))
    finally:
        text = markdown(results)
        if not options.only:
            (FOLDER / "results.md").write_text(text)
            plot(results, FOLDER / "results.png")
        print(text)
    missed = [bar.claim for bar in BARS if not bar.met(results, missing=bool(options.only))]
    return "\n".join(f"Not met: {claim}" for claim in missed) or None


async def _measure(wanted, repeats, results):
    for name in SIZES:
        photo(name, 0), photo(name, 1)
    async with chromium() as browser:
        for part in wanted:
            print(part.__doc__, file=sys.stderr, flush=True)
            try:
                await part(results, repeats, browser)
            except (BenchmarkError, subprocess.CalledProcessError) as error:
                results.note(str(error))


def _note_busy(results):
    if (busy := psutil.cpu_percent(interval=2)) > BUSY:
        results.note(
            f"Other programs had {busy:.0f} % of the machine at the start: the times are longer than on an idle one."
        )


def _parts(text):
    unknown = [name for name in text.split(",") if name not in parts.PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no part is called {unknown[0]}; there are {', '.join(parts.PARTS)}")
    return [parts.PARTS[name] for name in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
