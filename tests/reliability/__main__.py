"""Throw everything at FoodVision; print the results as a table and write them to docs/reliability.md."""

import argparse
import sys
import tempfile
from functools import partial
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

from benchmarks.report import machine, table
from tests.conftest import ROOT, serve
from tests.engines import ENGINES

from . import api, browsers, crowd, files, messages, model_files

COMMAND = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
DOCUMENT = ROOT / "docs" / "reliability.md"
TEXT = """\
# What FoodVision withstands

Written by `make reliability`, which runs `python -m tests.reliability{options}`. It makes every input itself: files \
no camera wrote, photos damaged at random, messages our page never sends, and model files that are broken or would \
run code. Browsers answer such files on the device. Then it serves the API and the page. Simulated visitors connect \
over websockets as a browser would, each with a photo of their own, while kernels, the server and the disk fail under \
them. "Wrong" counts inputs that got a wrong answer, \
no answer, or no sentence saying why. "Longest time" is the slowest single input. "Peak memory" is how much the \
processes grew at most; for sessions, how much the server had grown by the end. {machine}.

{table}

{summary}
"""


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--visitors", type=int, default=60, help="number of visitors who arrive within a minute (60)")
    parser.add_argument("--sessions", type=int, default=300, help="number of sessions to open and close (300)")
    parser.add_argument("--minutes", type=float, default=1, help="minutes to spend on randomly damaged photos (1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs = SimpleNamespace(mktemp=lambda name: Path(tempfile.mkdtemp(prefix=name, dir=folder)))
        rows = list(map(tell, everything(options, logs)))
    given = "".join(
        f" --{name} {value:g}" for name, value in vars(options).items() if value != parser.get_default(name)
    )
    result = {"table": table([cells(row) for row in rows]), "summary": summary(rows)}
    print(result["table"], result["summary"], sep="\n\n")
    DOCUMENT.write_text(TEXT.format(options=given, machine=machine(), **result), encoding="utf-8")
    return int(any(row.wrong for row in rows))


def everything(options, logs):
    """All rows, each as soon as it is known."""
    serving = partial(serve, COMMAND, "/", logs)
    yield from chain(files.run(), [files.run_damaged(options.minutes)], model_files.run(), browsers.run(ENGINES))
    with serve(api.COMMAND, "/", logs) as server:
        yield from api.run(server)
    with serving() as server:
        yield from messages.run(server)
    yield from crowd.run(serving, options.visitors, options.sessions)


def tell(row):
    print(f"{row.kind}: {row.tried:,} tried, {row.wrong} wrong", file=sys.stderr)
    return row


def cells(row):
    return {
        "Kind": row.kind,
        "Tried": f"{row.tried:,}",
        "Wrong": f"{row.wrong:,}",
        "Longest time": f"{row.seconds:.1f} s",
        "Peak memory": "" if row.megabytes is None else f"{row.megabytes:.0f} MB",
        "Note": row.note,
    }


def summary(rows):
    by_kind = {row.kind: row for row in rows}
    visitors, kept = by_kind[crowd.CROWD], by_kind[crowd.KEPT]
    faults = [by_kind[kind] for kind in crowd.FAULTS]
    injected, failed = sum(row.tried for row in faults), sum(row.wrong for row in faults)
    return (
        f"Inputs tried: {sum(row.tried for row in rows):,}; wrong: {sum(row.wrong for row in rows)}. "
        f"Visitors held: {visitors.tried - visitors.wrong} of {visitors.tried}. "
        f"Faults injected: {injected}; survived: {injected - failed}. Data lost: {kept.wrong}."
    )


if __name__ == "__main__":
    sys.exit(main())
