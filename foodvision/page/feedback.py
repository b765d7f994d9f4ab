"""Feedback: visitors' verdicts on answers, kept only if the owner turns this on."""

import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypedDict, TypeGuard, cast
from unicodedata import normalize
from urllib.parse import quote

from ..answer.prediction import Prediction

SETTING = "FOODVISION_FEEDBACK"
LOCK_TIMEOUT_S = 30  # waiting for another visitor's kernel to write
MAX_TRUTH = 60  # characters of a dish that the model doesn't know
SCHEMA = """
CREATE TABLE IF NOT EXISTS verdicts (
    key TEXT PRIMARY KEY,       -- of the answer; a change of mind replaces the verdict
    time TEXT NOT NULL,         -- UTC, ISO 8601
    label TEXT NOT NULL,        -- the model's answer
    probability REAL NOT NULL,  -- of that label
    truth TEXT NOT NULL,        -- the visitor's answer
    photo BLOB                  -- JPEG, only if the visitor ticked the box
)
"""
REVIEWS = """
CREATE TABLE IF NOT EXISTS reviews (
    key TEXT PRIMARY KEY,       -- of a verdict
    accepted INTEGER NOT NULL   -- whether its photo may be learned from
)
"""
UNSAFE = re.compile(r"""^\.|[\x00-\x1f\x7f<>:"/\\|?*%]|[. ]\Z""")  # in file names, on any system
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)  # by Windows
MAX_NAME_BYTES = 200  # a file name may have 255
NO_LABEL = "%no label"  # no label can become this: a percent sign in a label becomes %25


class Verdict(TypedDict):
    """A row of the database, without its photo."""

    key: str
    time: str
    label: str
    probability: float
    truth: str
    has_photo: bool
    accepted: bool | None  # by the owner; None if undecided


class Feedback:
    """An SQLite file of verdicts, which many visitors' kernels may write at the same time: `Feedback("feedback.db")`.

    The file must be on a local disk, since SQLite's write-ahead log doesn't work over a network. Raises sqlite3.Error
    if it can't be written.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(SCHEMA)
            db.execute(REVIEWS)

    @classmethod
    def from_environment(cls) -> "Feedback | None":
        """Feedback in the file named by FOODVISION_FEEDBACK; None if it isn't set."""
        path = os.environ.get(SETTING)
        return cls(path) if path else None

    def add(self, key: str, prediction: Prediction, truth: str, photo: bytes | None = None) -> None:
        """Keep a verdict on a `Prediction`: the true class name, and a JPEG if the visitor agreed.

        After a change of mind, the owner has to look again.
        """
        row = (key, _now(), prediction.label, prediction.probability, truth, photo)
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?)", row)
            db.execute("DELETE FROM reviews WHERE key = ?", [key])

    def verdicts(self) -> list[Verdict]:
        """The verdicts, oldest first."""
        columns = "verdicts.key, time, label, probability, truth, photo IS NOT NULL AS has_photo, accepted"
        with self._open() as db:
            rows = db.execute(f"SELECT {columns} FROM verdicts LEFT JOIN reviews USING (key) ORDER BY time")
            return [cast(Verdict, {**row, **_booleans(row)}) for row in rows]

    def review(self, key: str, accepted: bool | None) -> None:
        """Accept a verdict and its photo for training, or reject it; None leaves it undecided again."""
        with self._open() as db:
            db.execute("DELETE FROM reviews WHERE key = ?", [key])
            if accepted is not None:
                db.execute("INSERT INTO reviews VALUES (?, ?)", [key, accepted])

    def photo(self, key: str) -> bytes | None:
        """The JPEG kept with a verdict, if any."""
        with self._open() as db:
            row = db.execute("SELECT photo FROM verdicts WHERE key = ?", [key]).fetchone()
        return row and row["photo"]

    def export(self, folder: str | os.PathLike, accepted_only: bool = False) -> int:
        """Write the kept photos to `folder/<truth>/<key>.jpg` as training data, and return how many there are.

        Rejected ones are left out, and with `accepted_only` undecided ones, too. Characters that file systems reserve
        are percent-encoded: `n/a` becomes `n%2Fa`. If a verdict or its review has changed since an earlier export, the
        copy from that export is removed.
        """
        top, verdicts = Path(folder), self.verdicts()
        labels = _file_names(verdict["truth"] for verdict in verdicts)
        names = _file_names(verdict["key"] for verdict in verdicts)
        earlier, exported = _copies(top, set(names.values())), 0
        for verdict in verdicts:
            name = names[verdict["key"]]
            kept = top / labels[verdict["truth"]] / f"{name}.jpg"
            wanted = _may_be_learned(verdict, accepted_only)
            exported += wanted
            if wanted:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(self.photo(verdict["key"]) or b"")
            for copy in earlier.get(name, []):
                if not (wanted and copy.samefile(kept)):
                    _remove(copy, top)
        return exported

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self.path, timeout=LOCK_TIMEOUT_S)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()


def can_be_true(truth: object, prediction: Prediction) -> TypeGuard[str]:
    """Whether a visitor can say that a photo shows this: an answer or dish of the prediction, or any short name."""
    if not isinstance(truth, str):
        return False
    known = truth in prediction.probabilities or truth in prediction.dishes
    return known or (0 < len(truth.strip()) <= MAX_TRUTH and truth.isprintable())


def _booleans(row: sqlite3.Row) -> dict[str, bool | None]:
    accepted = row["accepted"]
    return {"has_photo": bool(row["has_photo"]), "accepted": None if accepted is None else bool(accepted)}


def _may_be_learned(verdict: Verdict, accepted_only: bool) -> bool:
    accepted = verdict["accepted"]
    return verdict["has_photo"] and (accepted is True or (accepted is None and not accepted_only))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _file_names(texts: Iterable[str]) -> dict[str, str]:
    """A file name for each text. If some system can't tell two of them apart, both get part of a checksum."""
    names = {text: _file_name(text) for text in texts}
    shared = Counter(map(_folded, names.values()))
    return {text: f"{name}-{_checksum(text)}" if shared[_folded(name)] > 1 else name for text, name in names.items()}


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def _file_name(text: str) -> str:
    """Text as a file or folder name that any system accepts; `urllib.parse.unquote` reverses it, unless it is long."""
    name = UNSAFE.sub(lambda character: f"%{ord(character[0]):02X}", text) or NO_LABEL
    if RESERVED.fullmatch(name):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name.encode()) > MAX_NAME_BYTES:
        name = f"{quote(text)[: MAX_NAME_BYTES // 2]}-{_checksum(text)}"
    return name


def _copies(folder: Path, names: set[str]) -> dict[str, list[Path]]:
    """Photos with these names from earlier exports, in any subfolder, by name."""
    copies: dict[str, list[Path]] = {}
    for path in folder.rglob("*.jpg"):
        if path.stem in names and path.is_file():  # a label may end in .jpg, too
            copies.setdefault(path.stem, []).append(path)
    return copies


def _remove(file: Path, top: Path) -> None:
    """Remove a file, and any folders below `top` that this leaves empty."""
    file.unlink()
    for folder in file.parents:
        if folder == top:
            return
        with suppress(OSError):  # it is not empty
            folder.rmdir()
