"""A real Chromium: the one on the machine, else Playwright's own."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed() -> str | None:
    """The one on the machine, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def chromium() -> Iterator[Browser]:
    """Started once for a run; what cannot run says so loudly."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed(), args=FLAGS)
        except Error as error:
            sentence = f"NO CHROMIUM: the journeys cannot run ({error.message.splitlines()[0]})"
            if os.environ.get("CI"):
                pytest.fail(sentence)
            pytest.skip(sentence)
        yield browser
        browser.close()
