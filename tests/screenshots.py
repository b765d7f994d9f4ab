"""Take the README's screenshots, docs/page.png and docs/phone.png, with a drawn pizza: `python -m tests.screenshots`.

Needs the test dependencies and Chromium.
"""

import asyncio
import io
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

from PIL import Image
from playwright.async_api import Page

from benchmarks.browser import FoodVisionPage, chromium, profile
from foodvision import Classifier
from tests.conftest import ROOT, serve
from tests.drawn_pizza import draw_pizza

COMMAND = ["foodvision", "serve", "foodvision.ipynb", "--no-browser"]
DESKTOP = {"viewport": {"width": 1000, "height": 610}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SHOTS = {"page.png": DESKTOP, "phone.png": PHONE}
MAX_BYTES = 150_000  # a README has to load quickly
ANIMATION_MS = 1000


def main() -> str | None:
    """Write both screenshots; returns a sentence if the model doesn't see the pizza or a file is too large."""
    pizza = draw_pizza()
    prediction = Classifier().predict(pizza)
    if prediction.label != "pizza" or prediction.unsure:
        return f"The model answers {prediction.label} ({prediction.probability:.0%}). Try another seed in draw_pizza."
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "pizza.jpg"
        pizza.save(photo, quality=92)
        logs = SimpleNamespace(mktemp=lambda name: Path(tempfile.mkdtemp(prefix=name, dir=folder)))
        with serve(COMMAND, "/", logs) as server:
            asyncio.run(_take_all(server.url, photo))
    too_large = [name for name in SHOTS if (ROOT / "docs" / name).stat().st_size > MAX_BYTES]
    return f"Over {MAX_BYTES:,} bytes: {', '.join(too_large)}" if too_large else None


async def _take_all(url: str, photo: Path) -> None:
    async with chromium() as browser:
        for name, device in SHOTS.items():
            async with _answered(browser, device, url, photo) as tab:
                shot = Image.open(io.BytesIO(await tab.screenshot(animations="disabled")))
            shot.convert("RGB").quantize(256).save(ROOT / "docs" / name, optimize=True)
            print(f"docs/{name}")


@asynccontextmanager
async def _answered(browser, device: dict, url: str, photo: Path):
    """The page on a device, once it shows the answer."""
    async with profile(browser, **device, reduced_motion="reduce") as context:
        tab: Page = await context.new_page()
        await tab.goto(url)
        page = FoodVisionPage(tab)
        await page.usable()
        await page.ask(photo)
        await tab.wait_for_timeout(ANIMATION_MS)
        yield tab


if __name__ == "__main__":
    sys.exit(main())
