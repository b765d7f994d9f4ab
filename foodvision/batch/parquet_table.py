"""A folder of Parquet files: one table for pandas, Dask, Spark and DuckDB."""

import re
from collections.abc import Iterator
from pathlib import Path

from .tables import INSTALL, FolderError, Row, Table, replace_file

PART = re.compile(r"part-(\d+)\.parquet")
NEEDED = ["photo", "label"]


class ParquetTable(Table):
    """Part files, each complete or absent. Other Parquet files in the folder, such as merged parts, also count."""

    rows_per_write = 1000

    def __init__(self, path: Path, vocab: list[str]) -> None:
        try:
            import pyarrow
        except ImportError as error:
            raise FolderError(f"pyarrow, which writes Parquet, isn't installed here. {INSTALL}") from error
        self.path, self.note = path, path / "_run.json"  # readers skip names that begin with an underscore
        types = {"photo": pyarrow.string(), "label": pyarrow.string(), "probability": pyarrow.float64()}
        types |= {f"probability_{name}": pyarrow.float64() for name in vocab}
        self.schema = pyarrow.schema([*types.items(), ("unsure", pyarrow.bool_()), ("error", pyarrow.string())])

    def begun(self) -> bool:
        return self.path.is_file() or any(self.path.glob("*.parquet"))

    def photos(self) -> Iterator[str]:
        import pyarrow
        from pyarrow import parquet

        for part in self._parts():
            try:
                names = parquet.ParquetFile(part).read(NEEDED)["photo"].to_pylist()
            except (pyarrow.ArrowException, OSError, KeyError) as error:
                raise FolderError(
                    f"{part} can't be read as answers. Restore it, or move it elsewhere: its photos are answered again."
                ) from error
            yield from (name for name in names if isinstance(name, str))

    def end(self) -> int:
        numbers = [int(match[1]) for part in self._parts() if (match := PART.fullmatch(part.name))]
        return max(numbers, default=-1) + 1

    def write(self, rows: list[Row], end: int) -> int:
        from pyarrow import BufferOutputStream, Table, parquet

        if not rows and end:
            return end
        content = BufferOutputStream()
        parquet.write_table(Table.from_pylist(rows, self.schema), content)
        replace_file(self.path / f"part-{end:05}.parquet", content.getvalue())
        return end + 1

    def _parts(self) -> list[Path]:
        return sorted(part for part in self.path.glob("*.parquet") if not part.name.startswith(("_", ".")))
