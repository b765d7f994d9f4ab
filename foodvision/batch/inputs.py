"""What people name on the command line: photos, folders, patterns, standard input, or something else."""

import glob
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..answer.limits import MAX_FILE_BYTES
from .names import one_line, photo_extensions, photos_in

STANDARD_INPUT = "-"
WEB_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/|data:|www\.", re.IGNORECASE)  # not C:/, a Windows drive
ADDRESS = "This is an address, not a file. Download the photo, and name the file."
NO_INPUT = "Standard input is the keyboard here. Pipe a photo in: foodvision - < photo.jpg"
EMPTY_INPUT = "Nothing came in. Pipe a photo in: foodvision - < photo.jpg"
NO_MATCH = "No file matches this pattern. Check the folder and the spelling."
BROKEN_LINK = "This link points to {target}, which is missing."
CLOSED_FOLDER = "This folder can't be opened. Its photos are left out."
EMPTY_FOLDER = "This folder is empty."
NO_PHOTOS = "There are no photos in this folder: no names that end in {extensions} or the like."


@dataclass(frozen=True)
class Input:
    """A photo to answer, or an `error` that says why there is none. `name` is for people, `source` for `predict`."""

    name: str
    source: str | bytes = b""
    error: str = ""


def inputs(arguments: Iterable[str]) -> Iterator[Input]:
    """The photos that command-line arguments name, including those in folders, in order."""
    for argument in arguments:
        if argument == STANDARD_INPUT:
            yield _standard_input()
        elif os.path.isdir(argument):
            yield from _in_folder(argument)
        elif os.path.exists(argument):
            yield Input(argument, argument)
        elif error := why_missing(argument):
            yield Input(argument, error=error)
        elif matches := sorted(glob.glob(argument, recursive=True)):  # shells expand patterns, but not on Windows
            yield from inputs(matches)
        elif glob.has_magic(argument):
            yield Input(argument, error=NO_MATCH)
        else:
            yield Input(argument, argument)  # reading it reports what is wrong


def why_missing(argument: str) -> str:
    """Why an argument names no file, if it's a web address or a broken link; otherwise empty."""
    if os.path.islink(argument) and not os.path.exists(argument):
        return BROKEN_LINK.format(target=one_line(os.readlink(argument)))
    return ADDRESS if WEB_ADDRESS.match(argument) and not os.path.lexists(argument) else ""


def why_no_photos(folder: str | os.PathLike) -> str:
    """Why there are no photos in a folder."""
    if not any(Path(folder).iterdir()):
        return EMPTY_FOLDER
    common = [extension for extension in (".jpg", ".png", ".heic", ".webp") if extension in photo_extensions()]
    return NO_PHOTOS.format(extensions=", ".join(common))


def _standard_input() -> Input:
    if sys.stdin is None or sys.stdin.isatty():
        return Input(STANDARD_INPUT, error=NO_INPUT)
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    return Input(STANDARD_INPUT, content, error="" if content else EMPTY_INPUT)


def _in_folder(folder: str) -> Iterator[Input]:
    found, closed = False, list[str]()
    for name in photos_in(folder, closed):
        found = True
        path = os.path.join(folder, name)
        yield Input(path, path, error=why_missing(path))
    yield from (Input(path, error=CLOSED_FOLDER) for path in closed)
    if not found and not closed:
        yield Input(folder, error=why_no_photos(folder))
