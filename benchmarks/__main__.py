"""Benchmark FoodVision against fastbook's app and the course's Gradio app. `make bench` runs it.

A full run writes `results.md` and `results.png` next to this file; a partial run (`--only`) just prints its tables.
The exit status is 1 if FoodVision misses a target.
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

BUSY = 25  # percent of all cores used by other programs; above it, times mean little


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=_parts, help=f"parts to run, separated by commas: {', '.join(parts.PARTS)}")
    parser.add_argument("--repeats", type=int, default=3, help="samples per measurement (default: 3)")
    parser.add_argument(
        "--install", action="store_true", help="also install each app from scratch, which takes gigabytes and minutes"
    )
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # so that `finally` blocks stop the servers
    wanted = options.only or list(parts.PARTS.values())
    results = Results()
    _note_busy(results)
    try:
        asyncio.run(_measure(wanted + [parts.fresh] * options.install, options.repeats, results))
    finally:
        text = markdown(results)
        if not options.only:
            (FOLDER / "results.md").write_text(text, encoding="utf-8")
            plot(results, FOLDER / "results.png")
        print(text)
    missed = [bar.claim for bar in BARS if not bar.met(results, missing=bool(options.only))]
    return "\n".join(f"Missed: {claim}" for claim in missed) or None


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
            f"Other programs used {busy:.0f}% of the machine at the start, so times are longer than on an idle machine."
        )


def _parts(text):
    unknown = [name for name in text.split(",") if name not in parts.PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no part {unknown[0]}; choose from {', '.join(parts.PARTS)}")
    return [parts.PARTS[name] for name in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
