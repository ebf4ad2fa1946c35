"""Make docs/demo.png: Notes signed in, beside Photos after the sign-out; and docs/lab.png: the
lab after one sign-out.

Run it with `.venv/bin/python docs/picture.py`; it starts the demo by itself, on free ports.
"""

import base64
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.journeys.conftest import PASSWORD  # noqa: E402
from tests.journeys.test_sign_in import call, sign_in  # noqa: E402
from tests.support.chromium import FLAGS  # noqa: E402
from tests.support.services import free_port  # noqa: E402

PICTURE = ROOT / "docs" / "demo.png"
LAB = ROOT / "docs" / "lab.png"
PORTS = ("IDP_PORT", "DEMO_PORT_A", "DEMO_PORT_B", "DEMO_API_PORT")
SIZE = {"width": 620, "height": 760}
WIDE = {"width": 1280, "height": 900}
GAP = 24


def main() -> None:
    """Start the demo, take both pictures, put them side by side, and end the demo."""
    ports = [str(free_port()) for _ in PORTS]
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo = started(dict(zip(PORTS, ports, strict=True)), Path(data))
        try:
            found = next((p for p in ("/usr/bin/chromium",) if Path(p).exists()), None)
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
            context = browser.new_context(viewport=SIZE, color_scheme="light")
            notes, photos = (f"http://localhost:{port}" for port in ports[1:3])
            before, after = taken(context, notes, photos)
            PICTURE.write_bytes(beside(context, before, after))
            context = browser.new_context(viewport=WIDE, color_scheme="light")
            LAB.write_bytes(raced(context, notes))
            browser.close()
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            demo.wait(30)
    for picture in (PICTURE, LAB):
        print(f"{picture}: {picture.stat().st_size // 1024} KB")


def started(ports: dict[str, str], data: Path) -> "subprocess.Popen[bytes]":
    """The demo, once it says that it is ready."""
    log = data / "demo.log"
    with log.open("wb") as out:
        demo = subprocess.Popen(
            [sys.executable, "-m", "client_demo.run"],
            env=os.environ | ports | {"IDP_DATA_DIR": str(data / "kept")},
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while "Ctrl-C" not in log.read_text():
        if demo.poll() is not None:
            raise SystemExit(log.read_text())
        time.sleep(0.2)
    return demo


def taken(context: BrowserContext, notes_url: str, photos_url: str) -> tuple[bytes, bytes]:
    """Notes while somebody is signed in, and Photos when they have signed out at Notes."""
    notes, photos = context.new_page(), context.new_page()
    notes.goto(f"{notes_url}/login")
    sign_in(notes)
    notes.wait_for_selector("#logout")
    photos.goto(f"{photos_url}/login")
    photos.wait_for_selector("#consent-allow, #logout")
    if photos.query_selector("#consent-allow"):
        photos.click("#consent-allow")
    photos.wait_for_selector("#logout")
    before = shot(notes)
    notes.click("#logout")
    photos.wait_for_selector("#login")
    return before, shot(photos)


def raced(context: BrowserContext, notes_url: str) -> bytes:
    """The lab, when all ten passes have been refused."""
    page = context.new_page()
    page.goto(f"{notes_url}/lab/enter")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    page.click("#race-out")
    page.wait_for_selector("tr[data-state=running]", state="attached")
    page.wait_for_selector("tr[data-state=running]", state="detached", timeout=60_000)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(300)
    return page.locator("#race").screenshot()


def shot(page: Page) -> bytes:
    call(page)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(1100)
    return page.screenshot()


def beside(context: BrowserContext, left: bytes, right: bytes) -> bytes:
    """Both pictures in one."""
    page = context.new_page()
    page.set_viewport_size(
        {"width": 2 * SIZE["width"] + 3 * GAP, "height": SIZE["height"] + 2 * GAP}
    )
    pictures = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}">'
        for picture in (left, right)
    )
    page.set_content(
        f"<style>body {{ margin: {GAP}px; display: flex; gap: {GAP}px; background: #d9d7cf }}"
        f"img {{ border-radius: 12px }}</style>{pictures}"
    )
    page.wait_for_timeout(200)
    return page.screenshot()


if __name__ == "__main__":
    main()
