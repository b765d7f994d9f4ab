"""`foodvision static`: the page as a folder of files that answers photos in the browser, for any web server."""

import hashlib
import json
import os
import shutil
from pathlib import Path

from .device import DeviceFiles
from .examples import find_examples, list_examples
from .icon import draw_icon
from .preview import ADDRESS_SETTING
from .standalone import LANGUAGES, PICTURES, TEMPLATE, render_page

DEVICE, TRANSLATIONS, EXAMPLES = "device/", "languages/", "examples/"
ICONS = {"icon-192.png": 192, "icon-512.png": 512, "apple-touch-icon.png": 180}  # sides in pixels
MARK = "foodvision-static.json"  # in folders that the command has written, and may replace
SERVICE_WORKER = Path(__file__).parent / "service_worker.js"
LINKS = (
    {"rel": "manifest", "href": "manifest.webmanifest"},
    {"rel": "apple-touch-icon", "href": "apple-touch-icon.png"},
)
NO_RUNTIME = (
    "ONNX Runtime for browsers is not installed. Run `npm ci --omit=dev` in FoodVision's folder, then try again."
)


class StaticError(RuntimeError):
    """The folder can't be written. The message says what to do."""


def write_static(folder: Path, notebook: Path, model: Path) -> int:
    """Write the app to a new or empty folder, or over an older version of it. Returns its size in bytes.

    Raises StaticError, ServeError for a notebook without a dashboard, and ModelError for a model that can't be served.
    """
    from ..answer.check import check_model

    check_model(model)
    files = contents(notebook, model)
    try:
        _empty(folder)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise StaticError(f"{folder} can't be written: {error.strerror}. Name another folder.") from error
    return sum(map(len, files.values()))


def contents(notebook: Path, model: Path) -> dict[str, bytes]:
    """The app's files by their path in its folder. Raises StaticError and ServeError."""
    try:
        device = DeviceFiles(model)
    except FileNotFoundError as error:
        raise StaticError(NO_RUNTIME) from error
    lasting = {DEVICE + name: device.read(name) for name in device.names}
    known = device.settings(DEVICE) | {"only": True, "service_worker": "service_worker.js"}
    paths = find_examples()
    examples = [given | {"address": EXAMPLES + paths[given["name"]].name} for given in list_examples()]
    options = {"device": known, "examples": examples}
    page = render_page(notebook, "deviceAnswerer", model, LINKS, TRANSLATIONS, _address(), **options)
    changing = {"index.html": page.html.encode(), "manifest.webmanifest": _manifest(page.title)}
    changing |= {name: draw_icon(side) for name, side in ICONS.items()}
    changing |= {TRANSLATIONS + file.name: file.read_bytes() for file in sorted(LANGUAGES.glob("*.js"))}
    changing |= {EXAMPLES + file.name: file.read_bytes() for file in paths.values()}
    worker = _service_worker(changing, lasting)
    pictures = {name: (TEMPLATE / "static" / name).read_bytes() for name in PICTURES}  # for other sites, not offline
    return lasting | changing | pictures | {"service_worker.js": worker, MARK: b"{}\n", ".nojekyll": b""}


def _address() -> str:
    """Where the page will be published, as FOODVISION_ADDRESS says, which may have a path here."""
    return f"{os.environ.get(ADDRESS_SETTING, '.').rstrip('/')}/"


def _manifest(title: str) -> bytes:
    icons = [
        {"src": name, "sizes": f"{side}x{side}", "type": "image/png", "purpose": "any maskable"}
        for name, side in ICONS.items()
        if name.startswith("icon")
    ]
    colours = {"background_color": "#fffaf4", "theme_color": "#b4400c"}
    app = {"name": title, "short_name": title, "start_url": "./", "scope": "./", "display": "standalone"}
    return json.dumps(app | colours | {"icons": icons}, ensure_ascii=False, indent=2).encode()


def _service_worker(changing: dict[str, bytes], lasting: dict[str, bytes]) -> bytes:
    """Comes with the list of what to keep, under a version that changes with it."""
    version = hashlib.sha256(b"".join([*changing.values(), *(name.encode() for name in lasting)])).hexdigest()[:16]
    named = ["./" if name == "index.html" else name for name in changing]
    files = [[name, False] for name in named] + [[name, True] for name in lasting]
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n"
    return (head + SERVICE_WORKER.read_text(encoding="utf-8")).encode()


def _empty(folder: Path) -> None:
    """Make the folder empty. Raises StaticError if what is in it is not an older version of the app."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise StaticError(f"{folder} has other files in it. Name a new or empty folder.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
