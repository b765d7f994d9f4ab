"""Names of photos: which files in a folder are photos, and how their names are written to lines and tables."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ..answer.photo import DECODERS  # whose import registers HEIC

SYSTEM_FOLDERS = {  # made by file systems, network drives and archives for thumbnails, deleted files and snapshots
    "#recycle",
    "#snapshot",
    "#trash",
    "$recycle.bin",
    "@eadir",
    "@recently-snapshot",
    "@recycle",
    "@tmp",
    "__macosx",
    "lost+found",
    "network trash folder",
    "recycled",
    "recycler",
    "system volume information",
    "temporary items",
    "~snapshot",
}
CHECK_DISK_FOLDER = re.compile(r"found\.\d{3}")  # Windows puts fragments of files there
NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # line breaks, and bytes that aren't text
FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]")  # noqa: RUF001 - spreadsheets run the wide ones, too


def photos_in(folder: str | os.PathLike[str], closed: list[str] | None = None) -> Iterator[str]:
    """Paths of the photos in a folder and its subfolders, relative to it, in a stable order.

    Photos are recognised by file extension. Hidden files and folders, and folders that systems create, are left out.
    Symlinks to folders are not followed, since they may form loops. Folders that can't be opened are added to `closed`.
    """

    def leave_out(error: OSError) -> None:
        if closed is not None:
            closed.append(error.filename)

    extensions = photo_extensions()
    for here, folders, files in os.walk(os.fspath(folder), onerror=leave_out):
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        inside = Path(here).relative_to(folder)
        for name in sorted(files):
            if os.path.splitext(name)[1].lower() in extensions and not name.startswith("."):
                yield (inside / name).as_posix()


def photo_extensions() -> set[str]:
    """Extensions of the formats that can be read, in lower case, such as `.jpg`."""
    Image.init()
    return {extension for extension, name in Image.registered_extensions().items() if name in DECODERS}


def one_line(name: str) -> str:
    """A file's name as text on one line: line breaks and bytes that aren't text are escaped."""
    return NOT_IN_A_LINE.sub(lambda odd: odd[0].encode("unicode_escape").decode(), name)


def to_cell(text: str) -> str:
    """Text for a spreadsheet. An apostrophe goes in front of text that the spreadsheet would run as a formula."""
    return f"'{text}" if FORMULA.match(text) else text


def from_cell(cell: str) -> str:
    """The text from which `to_cell` made this cell."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) else cell


def _is_skipped(folder: str) -> bool:
    name = folder.lower()
    return name.startswith(".") or name in SYSTEM_FOLDERS or bool(CHECK_DISK_FOLDER.fullmatch(name))
