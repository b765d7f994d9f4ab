"""What a visitor does with the page and sees on it, in a real browser."""

import base64
import io
import json
from contextlib import contextmanager

import numpy as np
from PIL import Image
from playwright.sync_api import expect

RED, BLUE = (220, 30, 30), (30, 30, 220)
PHONE = {"viewport": {"width": 390, "height": 664}, "has_touch": True, "is_mobile": True}


@contextmanager
def opened(browser, url, **settings):
    """A page in a fresh browser profile."""
    with browser.new_context(**settings) as context:
        page = context.new_page()
        page.goto(url)
        yield page


def chooser(page):
    return page.get_by_label("Choose a photo")


def choose(page, name, content):
    choose_several(page, (name, content))


def choose_several(page, *files):
    chooser(page).set_input_files([{"name": name, "mimeType": "", "buffer": content} for name, content in files])


def picture(page, name):
    return page.get_by_role("img", name=f"Your photo, {name}", exact=True)


def answer(page):
    """The answer to a single photo, which screen readers announce."""
    return page.get_by_role("status").get_by_role("heading")


def card(page, name):
    return page.get_by_role("article", name=name, exact=True)


def complaint(page):
    return page.get_by_role("alert")


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def press_in_menu(page, name):
    page.locator("summary", has_text="More").click()
    press(page, name)


def saved(photo, format="JPEG", **options):
    file = io.BytesIO()
    photo.save(file, format, **options)
    return file.getvalue()


def drawn(width=300, height=400):
    """A portrait that shows which way up it is: red above blue."""
    photo = Image.new("RGB", (width, height), RED)
    photo.paste(BLUE, (0, height // 2, width, height))
    return photo


PIXEL = """(image, [x, y]) => {
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
    canvas.drawImage(image, 0, 0);
    return [...canvas.getImageData(x, y, 1, 1).data];
}"""


def assert_upright(image, size):
    """The image shows `drawn` in a size of (width, height) pixels."""
    width, height = size
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [width, height]
    for colour, y in (RED, height // 20), (BLUE, height - height // 20):
        *seen, _ = image.evaluate(PIXEL, [width // 2, y])
        assert np.abs(np.subtract(seen, colour)).max() < 30


DROP = """(page, [type, files]) => {
    const transfer = new DataTransfer();
    for (const [name, content] of files) {
        transfer.items.add(new File([Uint8Array.from(atob(content), (byte) => byte.charCodeAt())], name));
    }
    const init = { bubbles: true, cancelable: true };
    const event = type === "paste"
        ? new ClipboardEvent(type, { ...init, clipboardData: transfer })
        : new DragEvent(type, { ...init, dataTransfer: transfer });
    return page.dispatchEvent(event);
}"""


def hand_over(page, event, *files):
    """Drop or paste files, or drag them over the page."""
    encoded = [(name, base64.b64encode(content).decode()) for name, content in files]
    page.locator("body").evaluate(DROP, [event, encoded])


def kernel_of(page, server):
    """The visitor's own, once the page is connected with it; the server keeps others ready."""
    expect(page.locator("[data-connected]")).to_be_visible()
    kernel_id = json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]
    [kernel] = kernel_with(kernel_id, server)
    return kernel


def kernel_with(kernel_id, server):
    """The process of the kernel with this id, in a list: empty while Jupyter replaces a process that has ended."""
    return [kernel for kernel in server.kernels if kernel_id in " ".join(kernel.cmdline())]


KERNEL_IS_READY = "globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = "() => { jupyterapp.commands.execute('notebook:run-all-cells'); }"


def run_all(page):
    """Run a notebook in JupyterLab or Notebook 7, once it has its kernel: before, a dialog would ask for one.

    The notebook's indicator says "idle" even while there is no kernel.
    """
    page.wait_for_function(KERNEL_IS_READY)
    page.evaluate(RUN_ALL)
