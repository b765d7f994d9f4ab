"""Feedback: what visitors say of the answers, kept where the owner asks for it."""

import os
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

SETTING = "FOODVISION_FEEDBACK"
PATIENCE = 30  # seconds to wait for another visitor's writing
SCHEMA = """
CREATE TABLE IF NOT EXISTS verdicts (
    key TEXT PRIMARY KEY,       -- of the answer; a change of mind replaces the verdict
    time TEXT NOT NULL,         -- UTC, ISO 8601
    label TEXT NOT NULL,        -- what the model said
    probability REAL NOT NULL,  -- how sure it was
    truth TEXT NOT NULL,        -- what the visitor says
    photo BLOB                  -- JPEG, only where the visitor ticked it
)
"""


class Feedback:
    """`Feedback("feedback.db")`: an SQLite file of verdicts, which many visitors' kernels may write at once.

    The file must be on a local disk: SQLite's write-ahead log does not work over a network. Raises sqlite3.Error
    where it can't be written.
    """

    def __init__(self, path):
        self.path = Path(path)
        with self._open() as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(SCHEMA)

    @classmethod
    def from_environment(cls):
        """Feedback in the file that FOODVISION_FEEDBACK names; None where nothing is to be kept."""
        path = os.environ.get(SETTING)
        return cls(path) if path else None

    def add(self, key, prediction, truth, photo=None):
        """Keep a verdict on a `Prediction`: its true class name, and bytes of a JPEG where the visitor agreed."""
        row = (key, _now(), prediction.label, prediction.probability, truth, photo)
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?, ?, ?)", row)

    def verdicts(self):
        """List of dictionaries, oldest first: `key`, `time`, `label`, `probability`, `truth`, `has_photo`."""
        columns = "key, time, label, probability, truth, photo IS NOT NULL AS has_photo"
        with self._open() as db:
            rows = db.execute(f"SELECT {columns} FROM verdicts ORDER BY time")
            return [{**row, "has_photo": bool(row["has_photo"])} for row in rows]

    def photo(self, key):
        """Bytes of the JPEG kept with a verdict, or None."""
        with self._open() as db:
            return db.execute("SELECT photo FROM verdicts WHERE key = ?", [key]).fetchone()["photo"]

    def export(self, folder):
        """Write the kept photos to `folder/<truth>/<key>.jpg`, as training data; returns how many there are.

        What an earlier export wrote of a verdict that has changed since is removed.
        """
        with self._open() as db:
            rows = db.execute("SELECT key, truth, photo FROM verdicts").fetchall()
        for row in rows:
            for earlier in Path(folder).glob(f"*/{row['key']}.jpg"):
                earlier.unlink()
            if row["photo"]:
                file = Path(folder, row["truth"], f"{row['key']}.jpg")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(row["photo"])
        return sum(row["photo"] is not None for row in rows)

    @contextmanager
    def _open(self):
        db = sqlite3.connect(self.path, timeout=PATIENCE)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()


def _now():
    return datetime.now(UTC).isoformat(timespec="milliseconds")
