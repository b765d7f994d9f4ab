"""What a visitor does in a real browser: open the page, choose a photo, read the answer."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from time import perf_counter

from playwright.async_api import TimeoutError as PageTimeout
from playwright.async_api import async_playwright

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# Requests for the rivals' fonts and scripts on other hosts fail at once, so they cost them no time here.
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"
PATIENCE = 240  # seconds, for a page on a slow network


@asynccontextmanager
async def chromium():
    """Chromium: the system's if there is one, otherwise playwright's."""
    candidates = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=next(filter(None, candidates), None), args=[*FLAGS.split(), NO_OTHER_HOST]
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def profile(browser):
    """A fresh browser profile with an empty cache."""
    context = await browser.new_context()
    context.set_default_timeout(1000 * PATIENCE)
    try:
        yield context
    finally:
        await context.close()


async def open_page(context, app, url):
    """Open the app: returns its page, and the seconds from navigation until a photo could be chosen."""
    page = app.page(await context.new_page())
    start = perf_counter()
    await page.tab.goto(url, wait_until="commit")
    await page.usable()
    return page, perf_counter() - start


async def answer_time(page, photo, patience=PATIENCE):
    """Seconds from choosing a photo until its label is shown; infinity if there is none after `patience` seconds."""
    await page.prepare()
    start = perf_counter()
    try:
        await asyncio.wait_for(page.ask(photo), patience)
    except (TimeoutError, PageTimeout):
        return float("inf")
    return perf_counter() - start


async def shown(tab, selector):
    """Wait until an element is visible, checking every frame; a locator's own wait polls up to half a second apart."""
    await tab.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].some(node => node.checkVisibility())",
        arg=selector,
    )


class FoodVisionPage:
    """A file chooser, and a heading with the answer."""

    def __init__(self, tab):
        self.tab = tab

    async def usable(self):
        await shown(self.tab, "input[type=file]")

    async def prepare(self):
        for heading in await self.tab.get_by_role("status").get_by_role("heading").all():
            await heading.evaluate("heading => heading.setAttribute('data-seen', '')")

    async def ask(self, photo):
        await self.tab.get_by_label("Choose a photo").set_input_files(photo)
        await shown(self.tab, "[role=status] h2:not([data-seen])")


class FastbookPage:
    """A button that opens the file chooser, a Classify button, a line with the label."""

    def __init__(self, tab):
        self.tab = tab
        self.upload = tab.locator("button.widget-upload")

    async def usable(self):
        await shown(self.tab, "button.widget-upload")

    async def prepare(self):
        """Mark the button, which loses the mark when it counts the new photo, and the label to be replaced."""
        await self.upload.evaluate(
            """button => {
                button.querySelector("mark") ?? button.append(document.createElement("mark"));
                for (const label of document.querySelectorAll(".widget-label")) label.dataset.seen = label.textContent;
            }"""
        )

    async def ask(self, photo):
        async with self.tab.expect_file_chooser() as opened:
            await self.upload.click()
        await (await opened.value).set_files(photo)
        await shown(self.tab, "button.widget-upload:not(:has(mark))")
        await self.tab.get_by_role("button", name="Classify").click()
        await self.tab.wait_for_function(
            """() => [...document.querySelectorAll(".widget-label")].some(
                label => label.textContent.startsWith("Prediction:") && label.textContent !== label.dataset.seen
            )"""
        )


class GradioPage:
    """An area for the photo, a Submit button, a label with its confidences."""

    AREA, LABEL = "[aria-label='Drop an image file here to upload']", "[data-testid=label-output-value]"

    def __init__(self, tab):
        self.tab = tab

    async def usable(self):
        await shown(self.tab, self.AREA)

    async def prepare(self):
        label = self.tab.locator(self.LABEL)
        if await label.count():
            await self.tab.get_by_role("button", name="Clear").click()
            await label.wait_for(state="detached")
            await self.usable()

    async def ask(self, photo):
        await self.tab.locator(self.AREA).get_by_test_id("file-upload").set_input_files(photo)
        await shown(self.tab, "[aria-label='Remove Image']")  # the upload has arrived
        await self.tab.get_by_role("button", name="Submit").click()
        await shown(self.tab, self.LABEL)
