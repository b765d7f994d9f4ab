"""What the page and its kernel share: the dashboard's script and style, and the sizes of photos."""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLE = STATIC / "dashboard.css"
SHORT_SIDE = 640  # pixels: more than the model looks at, and a quick upload from a phone
MAX_BYTES = 30_000_000  # of a file that the browser cannot shrink


def join_modules(folder=STATIC):
    """One script of the JavaScript modules in a folder: a widget has a single file, and nothing to bundle it with."""
    modules = (file.read_text() for file in sorted(folder.glob("*.js")))
    return "\n".join(re.sub(r"^import [^;]*;\n|^export (?!default)", "", module, flags=re.M) for module in modules)
