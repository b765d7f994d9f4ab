"""A CSV file of answers, which may be opened and saved in a spreadsheet between runs."""

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .names import from_cell, to_cell
from .tables import FolderError, Row, Table

DELIMITERS = ",", ";", "\t", "|"
BOM = b"\xef\xbb\xbf"
DECIMAL_COMMA = re.compile(r"\d+,\d+")
NEEDED = {"photo", "label"}
LONGEST_LINE_BYTES = 1 << 16  # more than the longest path and error take


@dataclass
class Layout:
    """How a table is written: by us, or by the spreadsheet that saved it last."""

    columns: list[str]
    delimiter: str = ","
    line_end: str = "\n"
    decimal: str = "."


class CsvTable(Table):
    """One file, in which a row is complete if its line has an end.

    Rows are added in the file's current layout: if a spreadsheet has saved the table, or columns were reordered or
    removed, its delimiter, decimal sign and columns are kept. A file that can't be read is refused and left as it is.
    """

    rows_per_write = 100  # what a crash can cost

    def __init__(self, path: Path, vocab: list[str]) -> None:
        self.path, self.note = path, path.with_name(f"{path.name}.run.json")
        classes = [f"probability_{name}" for name in vocab]
        self.layout = self.own_layout = Layout(["photo", "label", "probability", *classes, "unsure", "error"])
        self._is_writing = False

    def begun(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def photos(self) -> Iterator[str]:
        """Names of the photos that have a row. At the end, drops a last line that a crash cut short."""
        size, unfinished = self.path.stat().st_size, self._unfinished_line()
        if size == len(unfinished):
            self._drop_header(unfinished)
            return
        if len(unfinished) == LONGEST_LINE_BYTES:
            raise self._refusal("ends in something that is not a row. Undo the change")
        try:
            yield from self._read(size - len(unfinished))
        except UnicodeDecodeError as error:
            raise self._refusal("is no longer in UTF-8. Save it as CSV in UTF-8") from error
        except csv.Error as error:
            raise self._refusal("has lines that can't be read as a table. Undo the change") from error
        if unfinished:
            self._finish(unfinished, size)

    def end(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def write(self, rows: list[Row], end: int) -> int:
        """Append rows to the first `end` bytes; returns the new number of bytes."""
        if not self._is_writing and self.end() != end:
            raise FolderError(f"{self.path} was changed during this run. Run the same command again to resume.")
        self._is_writing = True  # what a failed write leaves behind is overwritten
        with open(self.path, "ab") as file:
            file.truncate(end)
            file.write(self._lines(rows, with_header=not end).encode())
            file.flush()
            os.fsync(file.fileno())
            end = file.tell()
        self._is_writing = False
        return end

    def _lines(self, rows: list[Row], with_header: bool) -> str:
        text = io.StringIO()
        others = [sign for sign in DELIMITERS if sign != self.layout.delimiter]
        plain = self._writer(text, csv.QUOTE_MINIMAL)
        # A spreadsheet that splits at semicolons would make what follows one into a cell, perhaps a formula.
        quoted = self._writer(text, csv.QUOTE_NONNUMERIC)
        if with_header:
            plain.writeheader()
        for row in rows:
            cells = {column: self._cell(value) for column, value in row.items()}
            split = any(sign in str(value) for value in row.values() for sign in others)
            (quoted if split else plain).writerow(cells)
        return text.getvalue()

    def _writer(self, text: io.StringIO, quoting: Literal[0, 1, 2, 3]) -> csv.DictWriter:
        columns, delimiter, line_end = self.layout.columns, self.layout.delimiter, self.layout.line_end
        return csv.DictWriter(
            text, columns, extrasaction="ignore", delimiter=delimiter, lineterminator=line_end, quoting=quoting
        )

    def _cell(self, value: object) -> object:
        if isinstance(value, float) and self.layout.decimal != ".":
            return str(value).replace(".", self.layout.decimal)
        return to_cell(value) if isinstance(value, str) else value

    def _read(self, end: int) -> Iterator[str]:
        """Names of the photos in the first `end` bytes. Also learns the layout from them."""
        with open(self.path, "rb") as file:
            header = file.readline().removeprefix(BOM).decode()
            self.layout = self._layout_of(header)
            names = csv.reader(_decoded(file, end), delimiter=self.layout.delimiter, strict=True)
            photo = self.layout.columns.index("photo")
            numbers = [at for at, name in enumerate(self.layout.columns) if name.startswith("probability")]
            for row in names:
                if any(at < len(row) and DECIMAL_COMMA.match(row[at]) for at in numbers):
                    self.layout.decimal = ","
                if len(row) > photo and row[photo]:
                    yield from_cell(row[photo])

    def _layout_of(self, header: str) -> Layout:
        line_end = "\r\n" if header.endswith("\r\n") else "\n"
        for delimiter in DELIMITERS:
            columns = next(csv.reader([header], delimiter=delimiter), [])
            if set(columns) >= NEEDED and len(set(columns) - {""}) == len([name for name in columns if name]):
                return Layout(columns, delimiter, line_end)
        raise self._refusal("doesn't begin with a line that names the columns photo and label once. Put it back")

    def _unfinished_line(self) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(max(0, self.path.stat().st_size - LONGEST_LINE_BYTES))
            tail = file.read()
        return tail[tail.rfind(b"\n") + 1 :]

    def _drop_header(self, unfinished: bytes) -> None:
        """Start over if a crash cut the header short."""
        if not self._lines([], with_header=True).encode().startswith(unfinished):
            raise self._refusal("is no longer a table. Undo the change")
        os.truncate(self.path, 0)

    def _finish(self, line: bytes, size: int) -> None:
        """Drop an unfinished last line, or end it if only the line end is missing, as some editors save files."""
        row = next(csv.reader([line.decode(errors="replace")], delimiter=self.layout.delimiter), [])
        is_whole = len(row) == len(self.layout.columns)
        if self.layout.columns == self.own_layout.columns:
            is_whole = is_whole and [cell.upper() for cell in row[-2:]] in (["TRUE", ""], ["FALSE", ""])
        if is_whole:
            with open(self.path, "ab") as file:
                file.write(self.layout.line_end.encode())
        else:
            os.truncate(self.path, size - len(line))

    def _refusal(self, reason: str) -> FolderError:
        return FolderError(f"{self.path} {reason}, or name another file for the answers.")


def _decoded(file: io.BufferedReader, end: int) -> Iterator[str]:
    while file.tell() < end:
        yield file.readline().decode()
