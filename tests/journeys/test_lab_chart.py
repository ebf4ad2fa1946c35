"""The chart of the lab in a real browser: ten ways side by side, and a race that moves in it."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from client_demo.lab.exhibits import EXHIBITS
from tests.journeys.conftest import PASSWORD, ROOT, Demo
from tests.journeys.test_pages import judge
from tests.support.spec import spec

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NAMES = [exhibit.name for exhibit in EXHIBITS]
MEASURES = ["time", "price", "asked", "state"]
LETS_GO = 60_000
DRAWN = "key => Chart.getChart(`chart-${key}`)?.data.datasets.map(set => set.data) ?? []"
COLOR = "key => Chart.getChart(`chart-${key}`).data.datasets[0].backgroundColor"


def drawn(page: Page, key: str) -> list[list[dict[str, Any]]]:
    """The points and bars of one chart, once they are there."""
    for _ in range(100):
        found: list[list[dict[str, Any]]] = page.evaluate(DRAWN, key)
        if found:
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"{key} is not drawn")


def holds_all_ten(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.notes}/lab/enter")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    page.wait_for_selector("#race-out", timeout=LETS_GO)


@spec("product: the lab", "BRW-01")
def test_the_chart_is_drawn_by_what_this_app_serves_itself(
    context: BrowserContext, demo: Demo
) -> None:
    page, asked, faults = context.new_page(), set(), list[str]()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.on("console", lambda said: faults.append(said.text))

    page.goto(f"{demo.notes}/lab")

    for key in MEASURES:
        assert sum(map(len, drawn(page, key))) >= len(NAMES)
    assert asked == {urlsplit(demo.notes).netloc}
    assert faults == []


@spec("product: the lab")
def test_the_chart_and_the_table_say_what_was_measured(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.goto(f"{demo.notes}/lab")
    measured = {
        r["policy"]: r for r in json.loads(Path(ROOT, "docs/policies.json").read_text())["rows"]
    }

    states = {bar["y"]: bar["x"] for bar in drawn(page, "state")[0]}
    worst = {bar["y"]: bar["x"][1] for bar in drawn(page, "time")[-1]}
    page.click("#as-table summary")

    assert states == {name: measured[name]["cost"]["state_bytes"] for name in NAMES}
    assert worst["short_jwt"] == measured["short_jwt"]["sign_out"]["took"]["max"]
    expect(page.locator("tr[data-name]")).to_have_count(10)
    bound = page.locator("tr[data-name=device_bound] td")
    assert bound.nth(7).inner_text() == bound.nth(8).inner_text() == "not at all"
    for row in page.locator("tr[data-name]").all():
        assert "–" not in [
            cell.inner_text() for cell in row.locator("td:not([data-key=now])").all()
        ]


@spec("product: the lab")
def test_a_race_moves_in_the_chart_without_a_reload(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    holds_all_ten(page, demo)
    page.click("#race-out")
    page.wait_for_selector("tr[data-state=running]", state="attached")
    page.evaluate("document.body.dataset.same = 'yes'")

    heads = [dot for dot in drawn(page, "time")[0] if dot["y"] == "short_jwt"]
    page.wait_for_timeout(700)
    later = [dot for dot in drawn(page, "time")[0] if dot["y"] == "short_jwt"]

    assert later[0]["x"] > heads[0]["x"] + 300
    expect(page.locator("tr[data-state=refused]")).to_have_count(10, timeout=LETS_GO)
    assert len(drawn(page, "time")[0]) == len(NAMES)
    assert page.get_attribute("body", "data-same") == "yes"
    expect(page.locator("#race-said")).to_contain_text("Measured in this visit")


@spec("WCAG 2.2 AA", "product: the lab")
def test_a_keyboard_and_a_screen_reader_get_every_row(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.goto(f"{demo.notes}/lab")
    drawn(page, "time")
    page.focus(".name[data-name=jti_denylist]")

    page.keyboard.press("Tab")

    expect(page.locator(".name[data-name=session_state]")).to_be_focused()
    sentence = page.locator("#sum-session_state").inner_text()
    assert "questions to the provider" in sentence
    expect(page.locator("#readout")).to_have_text(sentence)
    described = page.get_attribute(".name[data-name=session_state]", "aria-describedby")
    assert described == "sum-session_state"


@spec("product: the lab")
def test_the_chart_follows_light_dark_and_paper(browser: Browser, demo: Demo) -> None:
    page = browser.new_page(color_scheme="light")
    page.goto(f"{demo.notes}/lab")
    drawn(page, "price")
    light = page.evaluate(COLOR, "price")

    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    dark = page.evaluate(COLOR, "price")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper, opened = page.evaluate(COLOR, "price"), page.get_attribute("#as-table", "open")
    page.evaluate("dispatchEvent(new Event('afterprint'))")

    assert light == paper != dark == page.evaluate(COLOR, "price")
    assert opened is not None
    assert page.get_attribute("#as-table", "open") is None
    page.close()


@spec("WCAG 2.2 AA", "product: the lab")
@pytest.mark.parametrize("look", ["light", "dark"])
def test_each_measure_fits_a_phone(browser: Browser, demo: Demo, look: Any) -> None:
    page, faults = browser.new_page(color_scheme=look, viewport={"width": 320, "height": 700}), []
    page.goto(f"{demo.notes}/lab")
    drawn(page, "time")

    for key in [*MEASURES, "loot"]:
        page.check(f"#pick [value={key}]", force=True)
        expect(page.locator(f".column.{key}")).to_be_visible()
        expect(page.locator(".column:not(.names):visible")).to_have_count(1)
        judge(page, faults)
    page.click("#as-table summary")
    judge(page, faults)

    page.close()
    assert faults == []
