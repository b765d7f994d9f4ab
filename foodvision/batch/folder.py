"""A folder of photos to a table of answers: in bounded memory, resumed after a stop, on one machine or many."""

import csv
import io
import json
import os
import re
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np
from PIL import Image

from ..answer.classifier import MODEL, Classifier, ModelError, sha256
from ..answer.machine import cores
from ..answer.photo import PhotoError

KINDS = {"JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "TIFF"}
BATCH = 16  # photos a task: a fraction of a second, far above what handing over a task costs
ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # line breaks, and bytes that are no text
INSTALL = "Run: pip install -e '.[folder]'"
FREE_PORT = ":0"  # for Dask's status page
TIMEOUT = 20  # seconds, for a cluster to answer
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # Ctrl-C is for the process that ends the workers
_loading = Lock()


class FolderError(RuntimeError):
    """The folder cannot be answered; the text says what to do."""


@dataclass
class Tally:
    """Photos answered before a run and by it, how many of these could not be read, and the seconds that it took.

    `closed` has the folders that could not be opened, and whose photos are left out.
    """

    before: int
    answered: int = 0
    unreadable: int = 0
    seconds: float = 0.0
    closed: list[str] = field(default_factory=list)

    def __str__(self):
        text = f"{self.answered:,} photos answered"
        if self.unreadable:
            text += f", of which {self.unreadable:,} could not be read"
        if self.before:
            text += f", after {self.before:,} before"
        return f"{text}: {self.answered / self.seconds:.1f} a second." if self.answered else f"{text}."


def answer_folder(folder, output, model=MODEL, workers=None, scheduler=None):
    """Write a row to `output`, a `.csv` file or a `.parquet` folder, for each photo under `folder` that has none yet.

    The work is done by a thread for each core, by `workers` processes of Dask on this machine, or by the Dask cluster
    at the address `scheduler`, whose machines see folder and model at the same paths. Returns the `Tally`. Raises
    ModelError, FolderError where `output` holds other answers or an engine is missing, and OSError where it cannot be
    written; whatever stops a run, the same call goes on where it was.
    """
    folder, model = Path(folder).resolve(), Path(model).resolve()
    if not folder.is_dir():
        raise FolderError(f"There is no folder {folder}.")
    vocab, digest = Classifier(model).vocab, sha256(model)
    table = _open_table(Path(output), vocab, {"folder": str(folder), "model_sha256": digest})
    before = _keys(table.photos())
    tally = Tally(len(before))
    new = (name for name in photos_in(folder, tally.closed) if not _among(before, name))
    task = partial(answer_batch, folder=str(folder), model=str(model), model_sha256=digest)
    with _engine(workers, scheduler) as (submit, slots), closing(_in_order(submit, task, new, 2 * slots)) as rows:
        _write(_with_bar(rows, folder, tally.before), table, tally)
    return tally


def photos_in(folder, closed=None):
    """Paths, relative to `folder`, of the photos in it and its folders, in a stable order; hidden ones are left out.

    Files are photos by the ending of their name. Linked folders are not entered, as they may lead in circles. Folders
    that cannot be opened are added to the list `closed`.
    """

    def leave_out(error):
        if closed is not None:
            closed.append(error.filename)

    Image.init()
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in KINDS}
    for here, folders, files in os.walk(folder, onerror=leave_out):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = Path(here).relative_to(folder)
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in endings and not name.startswith("."):
                yield (inside / name).as_posix()


def answer_batch(names, folder, model, model_sha256):
    """Rows for photos, named by their paths in `folder`: the unit of work, for a thread here or a Dask worker anywhere.

    A photo that is gone meanwhile gets no row, so that a lost disk does not count as answers. Raises FolderError where
    the folder is out of sight, and ModelError where the model is another one.
    """
    if not os.path.isdir(folder):
        raise FolderError(f"{folder} is out of sight. Every machine that works on it needs it at this path.")
    with _loading:
        classifier = _load(model, model_sha256)
    return [_row(classifier, folder, name) for name in names if os.path.lexists(os.path.join(folder, name))]


@cache
def _load(model, model_sha256):
    if sha256(model) != model_sha256:
        raise ModelError(f"{model} changed, or is another one on another machine. Use the same file everywhere.")
    return Classifier(model, threads=1)  # the photos are what is spread over the cores


def _row(classifier, folder, name):
    try:
        prediction = classifier.predict(os.path.join(folder, name))
    except PhotoError as error:
        return {"photo": one_line(name), "error": str(error)}
    row = {"photo": one_line(name), "label": prediction.label, "probability": round(prediction.probability, 6)}
    row |= {f"probability_{name}": round(p, 6) for name, p in prediction.probabilities.items()}
    return row | {"unsure": prediction.unsure}


def one_line(name):
    """A file's name as text of one line, with escapes for line breaks and for bytes that are no text."""
    return ONE_LINE.sub(lambda odd: odd[0].encode("unicode_escape").decode(), name)


def _in_order(submit, task, names, ahead):
    """Rows of `task`, in the order of the names, with no more than `ahead` batches of them waiting."""
    waiting = deque()
    try:
        while batch := list(islice(names, BATCH)):
            waiting.append(submit(task, batch))
            if len(waiting) == ahead:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def _engine(workers, scheduler):
    """A function that submits a task and gives its future, and how many tasks run at once."""
    if not workers and not scheduler:
        threads = cores()
        with ThreadPoolExecutor(threads) as pool:
            yield pool.submit, threads
        return
    try:
        from distributed import CancelledError, Client, KilledWorker, LocalCluster
    except ImportError as error:
        raise FolderError(f"Dask is not installed here. {INSTALL}") from error
    with ExitStack() as stack:
        if workers:
            threads = max(1, cores() // workers)
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=threads, dashboard_address=FREE_PORT, preload=DEAF
            )
            scheduler = stack.enter_context(cluster)
        try:
            client = stack.enter_context(Client(scheduler, timeout=TIMEOUT))
            client.wait_for_workers(1, timeout=TIMEOUT)
        except (OSError, ValueError) as error:
            raise FolderError(f"No Dask worker answers at {scheduler}. Is the cluster running there?") from error
        try:
            yield partial(client.submit, pure=False), sum(client.nthreads().values())
        except (CancelledError, ImportError, KilledWorker) as error:
            raise FolderError(f"The Dask cluster gave up. The same command goes on. It said: {error}") from error


def _with_bar(rows, folder, before):
    """The rows, with a progress bar where someone looks on and tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return rows
    if not sys.stderr.isatty():
        return rows
    total = sum(1 for _ in photos_in(folder))
    return tqdm(rows, total=total, initial=before, unit=" photos")


def _write(rows, table, tally):
    """Rows to the table in parts of its own size, counted in the `Tally`."""
    start, part, end = perf_counter(), [], table.end()
    try:
        for row in rows:
            part.append(row)
            tally.answered += 1
            tally.unreadable += "error" in row
            if len(part) == table.part:
                part, end = [], table.write(part, end)
    except (KeyboardInterrupt, RuntimeError):
        table.write(part, end)
        raise
    table.write(part, end)
    tally.seconds = perf_counter() - start


def _key(name):
    """8 bytes for a photo, so that a million that are answered take 8 MB; once in 37 million, two share a key."""
    return int.from_bytes(blake2b(one_line(name).encode(), digest_size=8).digest())


def _keys(names):
    return np.sort(np.fromiter(map(_key, names), np.uint64))


def _among(keys, name):
    key = np.uint64(_key(name))
    place = np.searchsorted(keys, key)
    return place < len(keys) and keys[place] == key


def _open_table(output, vocab, run):
    """The table at `output`, new or written by a run like this one; FolderError where it is neither."""
    if output.suffix not in TABLES:
        raise FolderError(f"{output} should end in {' or '.join(TABLES)}.")
    table = TABLES[output.suffix](output, vocab)
    if not table.begun():
        table.note.parent.mkdir(parents=True, exist_ok=True)
        _replace(table.note, json.dumps(run, indent=2).encode())
        return table
    try:
        written = json.loads(table.note.read_text())
    except (OSError, ValueError) as error:
        raise FolderError(f"{output} was not written by this command. Name another file for the answers.") from error
    if written["model_sha256"] != run["model_sha256"]:
        raise FolderError(f"{output} holds answers of another model. Name another file, or remove it to start again.")
    if written["folder"] != run["folder"]:
        raise FolderError(f"{output} holds answers for the photos in {written['folder']}. Name another file for these.")
    return table


def _replace(path, content):
    """Write a file so that it is there whole or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with open(unfinished, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


class _Csv:
    """One file that grows, in which a row is whole where its line has an end."""

    part = 100  # rows written at once: what a crash can cost
    LONGEST = 1 << 16  # bytes of a line: more than the longest path and sentence

    def __init__(self, path, vocab):
        self.path, self.note = path, path.with_name(f"{path.name}.run.json")
        self.columns = ["photo", "label", "probability", *(f"probability_{name}" for name in vocab), "unsure", "error"]

    def begun(self):
        return self.path.exists() and self.path.stat().st_size > 0

    def photos(self):
        """Names of the photos that have a row, after a torn last line is dropped."""
        with open(self.path, "a+b") as file:
            size = file.tell()
            file.seek(max(0, size - self.LONGEST))
            tail = file.read()
            file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
        with open(self.path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield row["photo"]

    def end(self):
        return self.path.stat().st_size

    def write(self, rows, end):
        """Append rows to the first `end` bytes, and return how many there are now."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, lineterminator="\n")
        if not end:
            writer.writeheader()
        writer.writerows(rows)
        with open(self.path, "ab") as file:
            file.truncate(end)
            file.write(text.getvalue().encode())
            file.flush()
            os.fsync(file.fileno())
            return file.tell()


class _Parquet:
    """A folder of part files, read as one table by pandas, Dask, Spark and DuckDB; a part is whole or not there."""

    part = 1000

    def __init__(self, path, vocab):
        try:
            import pyarrow
        except ImportError as error:
            raise FolderError(f"pyarrow, which writes Parquet, is not installed here. {INSTALL}") from error
        self.path, self.note = path, path / "_run.json"  # readers pass over what begins with an underscore
        types = {"photo": pyarrow.string(), "label": pyarrow.string(), "probability": pyarrow.float64()}
        types |= {f"probability_{name}": pyarrow.float64() for name in vocab}
        self.schema = pyarrow.schema([*types.items(), ("unsure", pyarrow.bool_()), ("error", pyarrow.string())])

    def begun(self):
        return self.path.is_file() or any(self.path.glob("*.parquet"))

    def photos(self):
        """Names of the photos that have a row."""
        from pyarrow import parquet

        for part in self._parts():
            yield from parquet.ParquetFile(part).read(["photo"])["photo"].to_pylist()

    def end(self):
        parts = self._parts()
        return int(parts[-1].stem.removeprefix("part-")) + 1 if parts else 0

    def write(self, rows, end):
        """Add rows as the part with the number `end`, and return the next number."""
        from pyarrow import BufferOutputStream, Table, parquet

        if not rows and end:
            return end
        content = BufferOutputStream()
        parquet.write_table(Table.from_pylist(rows, self.schema), content)
        _replace(self.path / f"part-{end:05}.parquet", content.getvalue())
        return end + 1

    def _parts(self):
        return sorted(self.path.glob("part-*.parquet"))


TABLES = {".csv": _Csv, ".parquet": _Parquet}
