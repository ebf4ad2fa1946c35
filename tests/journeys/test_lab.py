"""The lab in a real browser: each promise is seen kept, on a real provider and real APIs."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from client_demo.lab.exhibits import EXHIBITS
from tests.journeys.conftest import PASSWORD, Demo
from tests.journeys.test_pages import LOOKS, judge
from tests.journeys.test_sign_in import open_photos
from tests.support.spec import spec

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NAMES = [exhibit.name for exhibit in EXHIBITS]
IN, NO = "the API lets it in", "the API refuses"
LETS_GO = 60_000


class Exhibit:
    """A person in front of one exhibit."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def signs_in(self) -> None:
        self.page.click("#login")
        self.page.wait_for_selector("#username, #sign-out")
        if self.page.query_selector("#username"):
            self.page.fill("#username", "alice")
            self.page.fill("#password", PASSWORD)
            self.page.click("#login-submit")
        self.page.wait_for_selector("#sign-out")

    def presses(self, deed: str) -> Locator:
        """A button; the newest line of the timeline afterwards."""
        before = self.page.locator(".event").count()
        self.page.click(f"[data-deed={deed}]")
        self.page.wait_for_function(
            "n => document.querySelectorAll('.event').length > n"
            " && !document.querySelector('[aria-busy]')",
            arg=before,
        )
        return self.page.locator(".event").first

    def last_of(self, who: str) -> Locator:
        return self.page.locator(f".event.{who}").first

    def signs_out(self) -> None:
        """And waits until the API has refused the old pass."""
        self.page.click("#sign-out")
        self.page.wait_for_selector("#clock.done", timeout=LETS_GO)


Visit = Callable[[str], Exhibit]


@pytest.fixture
def visit(context: BrowserContext, demo: Demo) -> Visit:
    def visited(name: str) -> Exhibit:
        found = Exhibit(context.new_page())
        found.page.goto(f"{demo.notes}/lab/{name}")
        found.signs_in()
        return found

    return visited


@spec("design section 4", "product: the lab")
@pytest.mark.parametrize("name", ["jti_denylist", "opaque", "allow_list", "session_state", "sso"])
def test_after_a_sign_out_the_stolen_pass_is_refused_within_a_moment(
    visit: Visit, name: str
) -> None:
    at = visit(name)
    assert IN in at.presses("call").inner_text()
    assert IN in at.presses("steal-access").inner_text()

    at.signs_out()

    assert at.page.inner_text("#clock-number").endswith((" ms", " s"))
    expect(at.last_of("thief")).to_contain_text(NO)
    assert NO in at.presses("call").inner_text()


@spec("design section 4", "product: the lab")
def test_a_short_pass_is_let_in_until_it_expires(visit: Visit) -> None:
    at = visit("short_jwt")

    at.page.click("#sign-out")

    expect(at.page.locator("#clock-said")).to_contain_text("It runs out in", timeout=LETS_GO)
    assert IN in at.presses("call").inner_text()
    at.page.wait_for_selector("#clock.done", timeout=LETS_GO)
    assert NO in at.presses("call").inner_text()


@spec("RFT-02", "RFC 9700 section 4.14.2")
def test_a_stolen_renewal_key_gives_itself_away(visit: Visit) -> None:
    at = visit("rotation")
    assert IN in at.presses("steal-refresh").inner_text()

    at.page.click("[data-deed=renew]")

    expect(at.page.locator("#you")).to_have_text("Signed out")
    expect(at.page.locator(".event", has_text="this line is over")).to_have_count(1)
    expect(at.last_of("thief")).to_contain_text(NO)


@spec("DPO-01", "RFC 9449 section 1")
def test_a_bound_pass_is_worth_nothing_to_a_thief(visit: Visit) -> None:
    at = visit("device_bound")
    assert IN in at.presses("call").inner_text()

    assert NO in at.presses("steal-access").inner_text()
    assert "refused" in at.presses("steal-refresh").inner_text()

    assert IN in at.page.locator(".event.app").first.inner_text()
    expect(at.page.locator("#thief-said")).to_have_text("The thief is refused.")


@spec("DPO-01", "product: a lost key is no dead end")
def test_a_lost_key_is_replaced_by_one_sign_in_and_the_old_one_is_cut_off(visit: Visit) -> None:
    at = visit("device_bound")
    at.page.click("[data-deed=lose-key]")
    expect(at.page.locator("#you")).to_have_text("The key is lost")

    at.page.click("#login")
    at.page.fill("#password", PASSWORD)
    at.page.click("#login-submit")
    at.page.wait_for_selector("#sign-out")

    expect(at.last_of("thief")).to_contain_text(f"old key and the old pass: {NO}")
    assert IN in at.presses("call").inner_text()


@spec("design section 4", "product: the lab")
def test_a_changed_role_counts_from_the_next_call_on(visit: Visit) -> None:
    at = visit("session_state")
    assert "editors only" in at.presses("write").inner_text()

    at.presses("change-role")
    assert IN in at.presses("write").inner_text()

    at.presses("change-role")
    assert "editors only" in at.presses("write").inner_text()


@spec("RFC 8707 section 2.2", "product: the lab")
def test_a_pass_opens_its_own_door_only_and_is_taken_back_alone(visit: Visit) -> None:
    at = visit("per_audience")
    assert IN in at.presses("call").inner_text()
    assert NO in at.presses("wrong-door").inner_text()

    at.presses("take-back")

    assert IN in at.presses("call-other").inner_text()
    expect(at.page.locator("#clock")).to_be_hidden()


@spec("design section 4", "BCL-02")
def test_one_sign_out_ends_the_other_app_too(
    visit: Visit, context: BrowserContext, demo: Demo
) -> None:
    at = visit("sso")
    photos = open_photos(context, demo)

    at.signs_out()

    photos.wait_for_selector("#login")


@spec("product: the lab")
def test_use_renews_a_sliding_pass_by_itself(visit: Visit) -> None:
    at = visit("sliding")

    renewed = at.page.locator(".event", has_text="the app renews it by itself")

    expect(renewed.first).to_be_visible(timeout=LETS_GO)
    assert IN in at.presses("call").inner_text()


@spec("design section 4", "P5")
@pytest.mark.parametrize(
    ("name", "thing", "meanwhile"),
    [
        ("opaque", "provider", "Refused for now"),
        ("jti_denylist", "provider", "refused for now"),
        ("allow_list", "store", "Refused for now"),
        ("jti_denylist", "feed", "after .* let in, the provider was asked"),
        ("short_jwt", "store", "Let in, nobody was asked"),
    ],
)
def test_what_is_away_comes_back_and_each_pass_is_treated_as_promised(
    visit: Visit, name: str, thing: str, meanwhile: str
) -> None:
    at = visit(name)

    at.page.click(f"[data-take={thing}]")
    expect(at.page.locator("#away-said")).to_contain_text("Away for another")

    back = "It is back, and every pass is treated as before."
    expect(at.page.locator("#away-said")).to_have_text(back, timeout=LETS_GO)
    sentence = at.page.locator(f"[data-strip={name}] p")
    expect(sentence).to_have_text(re.compile(f"{meanwhile}.*(as before after|all the time)"))
    assert IN in at.presses("call").inner_text()


@spec("SES-06", "product: the lab")
def test_signing_out_everywhere_ends_it_here_too(visit: Visit) -> None:
    at = visit("jti_denylist")

    at.page.click("[data-deed=everywhere]")

    expect(at.page.locator("#you")).to_have_text("Signed out")
    at.page.wait_for_selector("#clock.done", timeout=LETS_GO)


@spec("product: the lab")
def test_ten_passes_race_to_their_end(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.goto(f"{demo.notes}/lab")
    page.click("#race-in")
    page.wait_for_selector("#username")
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)
    page.click("#login-submit")

    page.click("#race-out", timeout=LETS_GO)

    expect(page.locator("tr[data-state=refused]")).to_have_count(10, timeout=LETS_GO)
    expect(page.locator("tr[data-slow=yes]")).to_have_attribute("data-name", "short_jwt")


@spec("WCAG 2.2 AA", "product: the lab")
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_of_the_lab_can_be_used_by_all(browser: Browser, demo: Demo, look: str) -> None:
    faults: list[str] = []
    context = browser.new_context(**LOOKS[look])
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("console", lambda said: faults.append(said.text))
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{demo.notes}/lab")
    judge(page, faults)

    for name in NAMES:
        page.goto(f"{demo.notes}/lab/{name}")
        at = Exhibit(page)
        at.signs_in()
        at.presses("steal-access")
        page.locator(".event > details > summary").first.click()
        page.locator("#tokens summary").first.click()
        judge(page, faults)

    context.close()
    assert faults == []
