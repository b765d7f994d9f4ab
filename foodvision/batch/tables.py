"""What all tables of answers share: rows that are complete or absent, and a note of the folder and the model."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

INSTALL = "Run: pip install -e '.[folder]'"

Row = dict[str, object]


class FolderError(RuntimeError):
    """The folder can't be answered. The message says what to do."""


class Table(ABC):
    """A table that later runs continue. `write` takes the current `end` and returns the next."""

    path: Path
    note: Path
    rows_per_write: int

    @abstractmethod
    def __init__(self, path: Path, vocab: list[str]) -> None:
        """A table at `path` for the answers of a model with these classes."""

    @abstractmethod
    def begun(self) -> bool:
        """Whether there is already a table at the path, whoever wrote it."""

    @abstractmethod
    def photos(self) -> Iterator[str]:
        """Names of the photos that have a row. Raises FolderError if the table can't be read."""

    @abstractmethod
    def end(self) -> int:
        """Where the next rows go."""

    @abstractmethod
    def write(self, rows: list[Row], end: int) -> int:
        """Write rows at `end`; returns the new end."""

    def write_note(self, run: dict[str, str]) -> None:
        """Record which `folder` and model (`model_sha256`) the table is for."""
        self.note.parent.mkdir(parents=True, exist_ok=True)
        replace_file(self.note, json.dumps(run, indent=2).encode())

    def check_note(self, run: dict[str, str]) -> None:
        """Raise FolderError if the table is for another folder or model, or its note doesn't say."""
        written = self._read_note()
        if written["model_sha256"] != run["model_sha256"]:
            raise FolderError(
                f"{self.path} holds answers of another model. Name another file, or remove it to start over."
            )
        if written["folder"] != run["folder"]:
            raise FolderError(
                f"{self.path} holds answers for the photos in {written['folder']}. Name another file for these."
            )

    def _read_note(self) -> dict[str, str]:
        if not self.note.exists():
            raise FolderError(
                f"{self.path} was not written by this command, or {self.note.name}, which says so, is gone. "
                "Name another file for the answers."
            )
        try:
            written = json.loads(self.note.read_text(encoding="utf-8-sig"))
            return {name: written[name].strip() for name in ("folder", "model_sha256")}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise FolderError(
                f"{self.note} is damaged, and it says what {self.path.name} answers. Restore it, or name another file."
            ) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a file that is either complete or absent, even after a crash."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    with open(unfinished, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)
