"""What the page and its kernel share: scripts, style sheet and size limits for photos."""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLE = STATIC / "dashboard.css"
SHORT_SIDE = 640  # pixels: more than the model needs, and quick to upload from a phone
DRAWN = "FOODVISION_DRAWN"  # set in kernels whose page has the script and the style sheet already
MAX_BYTES = 30_000_000  # for a file that the browser can't shrink

_IMPORTS = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORTS = re.compile(r"^export (?!default)", re.MULTILINE)
_COMMENTS = re.compile(r"^ *//.*\n|^ */\*\*(?:(?!\*/)[\s\S])*\*/\n|/\*\* .*? \*/ ?| // .*", re.MULTILINE)
_SPACE = re.compile(r"^\s+|(?<=[{}(,;])\n", re.MULTILINE)
_CSS_COMMENTS = re.compile(r"/\*[\s\S]*?\*/")


def join_modules(folder: Path = STATIC) -> str:
    """Join a folder's JavaScript modules into one script, because a widget is a single file and there is no bundler.

    Comments and most white space are left out to keep the page small. No two modules may use the same name at their
    top level, and no string may span lines or contain " // ".
    """
    script = "\n".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.js")))
    for pattern in (_COMMENTS, _IMPORTS, _EXPORTS, _SPACE):
        script = pattern.sub("", script)
    return script


def read_style() -> str:
    """The style sheet without comments and most white space."""
    return _SPACE.sub("", _CSS_COMMENTS.sub("", STYLE.read_text(encoding="utf-8")))
