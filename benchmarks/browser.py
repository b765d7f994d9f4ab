"""What a visitor does in a real browser: open the page, choose a photo, read the answer."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager

from playwright.async_api import TimeoutError as PageTimeout
from playwright.async_api import async_playwright

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# Requests for the rivals' fonts and scripts on other hosts fail at once, so they cost them no time here.
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"
PATIENCE = 240  # seconds, for a page on a slow network
# Runs before a page's own scripts and looks at each frame, so times are those of a paint, by the page's clock.
CLOCK = """
    globalThis.clock = {
        when: (holds) => new Promise((resolve) => {
            const look = () =>
                requestAnimationFrame(holds() ? () => setTimeout(() => resolve(performance.now() / 1000)) : look);
            look();
        }),
        seen: (selector) => clock.when(
            () => [...document.querySelectorAll(selector)].some((node) => node.checkVisibility())
        ),
    };
    addEventListener("change", () => { clock.chosen ??= performance.now() / 1000; }, true);
"""


def installed():
    """Path of the system's Chromium; None if there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@asynccontextmanager
async def chromium():
    """Chromium: the system's if there is one, otherwise playwright's."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=installed(), args=[*FLAGS.split(), NO_OTHER_HOST])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def profile(browser, **options):
    """A fresh browser profile with an empty cache; the options are those of playwright's contexts."""
    context = await browser.new_context(**options)
    context.set_default_timeout(1000 * PATIENCE)
    await context.add_init_script(CLOCK)
    try:
        yield context
    finally:
        await context.close()


async def open_page(context, app, url):
    """Open the app: returns its page, and the seconds from navigation until a photo could be chosen."""
    tab = await context.new_page()
    await tab.add_init_script(f"clock.usable = clock.seen({json.dumps(app.page.READY)})")
    await tab.goto(url, wait_until="commit")
    page = app.page(tab)
    return page, await asyncio.wait_for(page.usable(), PATIENCE)


async def first_paint(page):
    """Seconds from navigation until the page showed anything."""
    return await page.tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")


async def answer_time(page, photo, patience=PATIENCE):
    """Seconds from choosing a photo until its label is shown; infinity if there is none after `patience` seconds."""
    await page.prepare()
    await page.tab.evaluate("clock.chosen = undefined")
    try:
        shown = await asyncio.wait_for(page.ask(photo), patience)
    except (TimeoutError, PageTimeout):
        return float("inf")
    return shown - await page.tab.evaluate("clock.chosen")


class Page:
    """An app's page in a browser tab, as a visitor uses it."""

    READY: str  # selects what a photo is chosen with

    def __init__(self, tab):
        self.tab = tab

    async def usable(self):
        """Seconds from navigation until a photo could be chosen."""
        return await self.tab.evaluate("ready => clock.usable ?? clock.seen(ready)", self.READY)

    async def seen(self, selector):
        """Wait until an element is visible; returns the seconds since navigation."""
        return await self.tab.evaluate("selector => clock.seen(selector)", selector)

    async def prepare(self):
        """Get ready to notice the next answer."""

    async def ask(self, photo):
        """Choose a photo; returns the seconds from navigation until its label is shown."""
        raise NotImplementedError


class FoodVisionPage(Page):
    """A file chooser, and a heading with the answer."""

    READY = "input[type=file]"

    async def prepare(self):
        for heading in await self.tab.get_by_role("status").get_by_role("heading").all():
            await heading.evaluate("heading => heading.setAttribute('data-seen', '')")

    async def ask(self, photo):
        await self.tab.get_by_label("Choose a photo").set_input_files(photo)
        return await self.seen("[role=status] h2:not([data-seen])")


class FastbookPage(Page):
    """A button that opens the file chooser, a Classify button, a line with the label."""

    READY = "button.widget-upload"

    async def prepare(self):
        """Mark the button, which loses the mark when it counts the new photo, and the label to be replaced."""
        await self.tab.locator(self.READY).evaluate(
            """button => {
                button.querySelector("mark") ?? button.append(document.createElement("mark"));
                for (const label of document.querySelectorAll(".widget-label")) label.dataset.seen = label.textContent;
            }"""
        )

    async def ask(self, photo):
        async with self.tab.expect_file_chooser() as opened:
            await self.tab.locator(self.READY).click()
        await (await opened.value).set_files(photo)
        await self.tab.evaluate("clock.chosen ??= performance.now() / 1000")  # its input is outside the document
        await self.seen("button.widget-upload:not(:has(mark))")
        await self.tab.get_by_role("button", name="Classify").click()
        return await self.tab.evaluate(
            """() => clock.when(() => [...document.querySelectorAll(".widget-label")].some(
                label => label.textContent.startsWith("Prediction:") && label.textContent !== label.dataset.seen
            ))"""
        )


class GradioPage(Page):
    """An area for the photo, a Submit button, a label with its confidences."""

    READY, LABEL = "[aria-label='Drop an image file here to upload']", "[data-testid=label-output-value]"

    async def prepare(self):
        label = self.tab.locator(self.LABEL)
        if await label.count():
            await self.tab.get_by_role("button", name="Clear").click()
            await label.wait_for(state="detached")
            await self.seen(self.READY)

    async def ask(self, photo):
        await self.tab.locator(self.READY).get_by_test_id("file-upload").set_input_files(photo)
        await self.seen("[aria-label='Remove Image']")  # the upload has arrived
        await self.tab.get_by_role("button", name="Submit").click()
        return await self.seen(self.LABEL)
