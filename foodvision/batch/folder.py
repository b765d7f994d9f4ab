"""Writes a table of answers for a folder of photos: in bounded memory, resumable, on one machine or many."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import blake2b
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np

from ..answer.classifier import Classifier, ModelError, sha256
from ..answer.photo import PhotoError
from ..locate import find_model
from .csv_table import CsvTable
from .engines import engine, in_order
from .inputs import why_missing, why_no_photos
from .names import one_line, photos_in
from .parquet_table import ParquetTable
from .tables import FolderError, Row, Table

TABLES: dict[str, type[Table]] = {".csv": CsvTable, ".parquet": ParquetTable}
DIGITS = 6  # in a table's probabilities
_loading = Lock()


@dataclass
class Tally:
    """Number of photos answered `before` this run and by it, and how many of the latter were unreadable.

    `closed` names the folders that could not be opened, whose photos are left out.
    """

    before: int
    answered: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    closed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{self.answered:,} photo{'' if self.answered == 1 else 's'} answered"
        if self.unreadable:
            text += f" ({self.unreadable:,} could not be read)"
        if self.before:
            text += f", {self.before:,} already in the table"
        return f"{text}: {self.answered / self.seconds:.1f} per second." if self.answered else f"{text}."


def answer_folder(
    folder: str | os.PathLike,
    output: str | os.PathLike,
    model: str | os.PathLike | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Tally:
    """Write a row to `output`, a `.csv` file or a `.parquet` folder, for each photo in `folder` that has none yet.

    The work is done by one thread per core, by `workers` Dask processes on this machine, or by the Dask cluster at the
    address `scheduler`, whose machines must see the folder and the model at the same paths. Whatever stops a run, the
    same call resumes it. Raises ModelError; FolderError if `output` holds other answers or can't be read, if there are
    no photos, or if pyarrow or Dask is missing; and OSError if `output` can't be written.
    """
    folder, model = _resolved(folder), Path(model or find_model()).resolve()
    answers, digest = Classifier(model).answers, sha256(model)
    run = {"folder": str(folder), "model_sha256": digest}
    table = _open_table(Path(output), answers, run)
    before = _keys(table.photos() if table.begun() else [])
    tally = Tally(len(before))
    new = (name for name in photos_in(folder, tally.closed) if not _among(before, name))
    first = list(islice(new, 1))
    if not (first or tally.before or tally.closed):
        raise FolderError(f"{folder}: {why_no_photos(folder)}")
    if not table.begun():
        table.write_note(run)
    task = partial(answer_batch, folder=str(folder), model=str(model), model_sha256=digest)
    names = chain(first, new)
    with engine(workers, scheduler) as (submit, slots), closing(in_order(submit, task, names, 2 * slots)) as rows:
        _write(_with_bar(rows, folder, tally.before), table, tally)
    return tally


def answer_batch(names: list[str], folder: str, model: str, model_sha256: str) -> list[Row]:
    """Rows for photos, named by their paths within `folder`. This is one task of a thread or a Dask worker.

    A photo that has disappeared meanwhile gets no row. Raises FolderError if the folder isn't there, and ModelError if
    the model is a different one.
    """
    if not os.path.isdir(folder):
        raise FolderError(f"{folder} can't be seen. Every machine that works on it needs it at this path.")
    with _loading:
        classifier = _load(model, model_sha256)
    return [_row(classifier, folder, name) for name in names if os.path.lexists(os.path.join(folder, name))]


@cache
def _load(model: str, model_sha256: str) -> Classifier:
    if sha256(model) != model_sha256:
        raise ModelError(f"{model} has changed, or differs on another machine. Use the same file everywhere.")
    return Classifier(model, threads=1)  # the photos, not the layers, are spread over the cores


def _row(classifier: Classifier, folder: str, name: str) -> Row:
    path = os.path.join(folder, name)
    try:
        prediction = classifier.predict(path)
    except PhotoError as error:
        return {"photo": one_line(name), "error": why_missing(path) or str(error)}
    row: Row = {"photo": one_line(name)} | prediction.to_dict()
    row |= {f"probability_{label}": round(p, DIGITS) for label, p in prediction.probabilities.items()}
    row["probability"] = round(prediction.probability, DIGITS)
    return {column: value for column, value in row.items() if column not in ("probabilities", "dishes", "seconds")}


def _resolved(folder: str | os.PathLike) -> Path:
    if os.path.isdir(folder):
        return Path(folder).resolve()
    if os.path.exists(folder):
        raise FolderError(f"{folder} is a file. Name the folder that holds the photos.")
    raise FolderError(f"{folder}: {why_missing(os.fspath(folder)) or 'There is no such folder. Check its name.'}")


def _open_table(output: Path, vocab: list[str], run: dict[str, str]) -> Table:
    """The table at `output`, new or begun by a run like this one. Raises FolderError if it is neither."""
    if output.suffix not in TABLES:
        raise FolderError(f"{output} should end in {' or '.join(TABLES)}.")
    table = TABLES[output.suffix](output, vocab)
    if table.begun():
        table.check_note(run)
    return table


def _with_bar(rows: Iterator[Row], folder: Path, before: int) -> Iterable[Row]:
    """The rows, with a progress bar if this is a terminal and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return rows
    if not sys.stderr.isatty():
        return rows
    total = sum(1 for _ in photos_in(folder))
    return tqdm(rows, total=total, initial=before, unit=" photos")


def _write(rows: Iterable[Row], table: Table, tally: Tally) -> None:
    """Write rows to the table, `rows_per_write` at a time, and count them."""
    start, part, end = perf_counter(), [], table.end()
    try:
        for row in rows:
            part.append(row)
            tally.answered += 1
            tally.unreadable += "error" in row
            if len(part) == table.rows_per_write:
                part, end = [], table.write(part, end)
    except (KeyboardInterrupt, RuntimeError):
        table.write(part, end)
        raise
    table.write(part, end)
    tally.seconds = perf_counter() - start


def _key(name: str) -> int:
    """An 8-byte key, so a million photos take 8 MB; the chance that any two of them share one is 1 in 37 million."""
    return int.from_bytes(blake2b(one_line(name).encode(), digest_size=8).digest())


def _keys(names: Iterable[str]) -> np.ndarray:
    return np.sort(np.fromiter(map(_key, names), np.uint64))


def _among(keys: np.ndarray, name: str) -> bool:
    key = np.uint64(_key(name))
    place = np.searchsorted(keys, key)
    return bool(place < len(keys) and keys[place] == key)
