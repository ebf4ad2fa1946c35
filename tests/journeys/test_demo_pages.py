"""Every page of the demo apps, in every look: usable by all, and quiet in the console."""

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.conftest import Demo
from tests.journeys.test_pages import LOOKS, judge
from tests.journeys.test_sign_in import call, sign_in
from tests.support.spec import spec

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

FASTER = "Autofocus processing was blocked"  # the test had clicked before the page had


def open_details(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()


@spec("WCAG 2.2 AA")
@pytest.mark.parametrize("look", LOOKS)
def test_the_demo_can_be_used_by_all(browser: Browser, demo: Demo, look: str) -> None:
    faults: list[str] = []
    context = browser.new_context(**LOOKS[look])
    context.set_default_timeout(15_000)
    notes, photos = context.new_page(), context.new_page()
    for page in (notes, photos):
        page.on("console", lambda said: FASTER in said.text or faults.append(said.text))
    notes.goto(demo.notes)
    judge(notes, faults)
    notes.click("#login")
    sign_in(notes)
    notes.wait_for_selector("#logout")
    assert call(notes).startswith("200")
    open_details(notes)
    judge(notes, faults)
    photos.goto(demo.photos)
    judge(photos, faults)
    photos.click("#login")
    photos.wait_for_selector("#logout, #consent-allow")
    if photos.query_selector("#consent-allow"):
        photos.click("#consent-allow")
    photos.wait_for_selector("#logout")
    judge(photos, faults)

    notes.click("#logout")

    for page in (notes, photos):
        page.wait_for_selector("#login")
        assert call(page).startswith("401")
        judge(page, faults)
    assert faults == []
    notes.goto(f"{demo.notes}/callback?state=unknown")
    notes.wait_for_selector("#sorry")
    assert all("400" in fault for fault in faults)
    faults.clear()
    judge(notes, faults)
    context.close()
    assert faults == []
