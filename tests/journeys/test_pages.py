"""The pages in a real Chromium: whom they let in, what they show, and whether all can use them."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import Open
from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import API, PASSWORD, Rp

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

AXE = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CALLBACK = "https://photos.test/callback"
CHALLENGE = urlsafe_b64encode(sha256(b"v" * 50).digest()).rstrip(b"=").decode()
ALL = "openid profile email notes:read offline_access"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
    "narrow, dark, German": {
        "color_scheme": "dark",
        "viewport": {"width": 360, "height": 640},
        "locale": "de-DE",
    },
}


@dataclass(frozen=True)
class Place:
    """A provider with a person and two apps."""

    op: Served
    notes: Rp
    photos: Rp

    def page(self, path: str) -> str:
        return f"{self.op.url}{path}"

    def sign_in_at(self, rp: Rp, **more: str) -> str:
        """The address an app sends a browser to."""
        query = {
            "client_id": rp.client_id,
            "redirect_uri": rp.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | more
        return self.page(f"/authorize?{urlencode(query)}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with served(tmp_path_factory.mktemp("pages"), IDP_NAME="Example ID") as op:
        world = op.world
        world.person("alice", name="Alice Liddell", email="alice@example.com")
        world.api(API, **{"notes:read": "Read your notes"})
        notes = world.rp("Notes", backchannel_logout_uri="https://rp.test/logout")
        photos = world.rp(
            "Photos",
            trusted=False,
            redirect_uris=[CALLBACK],
            policy_uri="https://photos.test/privacy",
        )
        yield Place(op, notes, photos)


@pytest.fixture
def open_context(open_context: Open) -> Open:
    """What leads to an app ends there, in a page that is not fetched."""

    def opened(**options: Any) -> BrowserContext:
        context = open_context(**options)
        for app in ("https://rp.test/**", "https://photos.test/**"):
            context.route(app, lambda route: route.fulfill(body="the app"))
        return context

    return opened


def sign_in(page: Page, who: str = "alice") -> None:
    page.fill("#username", who)
    page.fill("#password", PASSWORD)
    page.click("#login-submit")


def at_home(place: Place, context: BrowserContext) -> Page:
    """The account, signed in by password."""
    page = context.new_page()
    page.goto(place.page("/sign-in"))
    sign_in(page)
    page.wait_for_url("**/account")
    return page


def judge(page: Page, faults: list[str]) -> None:
    """Hold a page to WCAG 2.2 AA, and to its own width."""
    page.wait_for_selector("h1")
    page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(WCAG)}}})")
    for violation in found["violations"]:
        places = [node["target"] for node in violation["nodes"]]
        faults.append(f"{page.url}: {violation['id']} {places}")
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if over > 0:
        faults.append(f"{page.url}: {over} pixels too wide")


@spec("WCAG 2.2 AA")
@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_used_by_all(place: Place, open_context: Open, look: str) -> None:
    faults: list[str] = []
    page = open_context(**LOOKS[look]).new_page()

    def visit(address: str) -> None:
        page.goto(address)
        judge(page, faults)

    visit(place.page("/sign-in"))
    page.fill("#username", "alice")
    page.fill("#password", "not this one")
    page.click("#login-submit")
    page.wait_for_selector("#problem")
    judge(page, faults)
    visit(place.sign_in_at(place.photos, scope=ALL, prompt="consent", resource=API))
    sign_in(page)
    page.wait_for_selector("#consent-allow")
    judge(page, faults)
    page.click("#consent-allow")
    page.wait_for_url(f"{CALLBACK}?code=*")
    place.op.world.clock.advance(seconds=2)
    visit(place.sign_in_at(place.photos, prompt="login"))
    visit(place.sign_in_at(place.photos, prompt="select_account"))
    visit(place.page(f"/sign-in?tx=tx_gone&client_id={place.photos.client_id}"))
    visit(place.page("/authorize?client_id=nobody"))
    visit(place.page("/nowhere"))
    for name in ("", "/profile", "/security", "/sessions", "/apps", "/receipts"):
        visit(place.page(f"/account{name}"))
    page.goto(place.page("/account/profile"))
    page.fill('input[name="birthdate"]', "once upon a time")
    page.click("#profile-save")
    page.wait_for_selector(".fault")
    judge(page, faults)
    visit(place.page("/end_session?post_logout_redirect_uri=https://evil.test/"))
    visit(place.page("/end_session"))
    page.click("#logout-confirm")
    page.wait_for_selector(".receipt")
    judge(page, faults)

    assert faults == []


@spec("OpenID Connect Core section 3.1", "OID-11")
def test_a_person_signs_in_says_yes_and_is_at_the_app(place: Place, open_context: Open) -> None:
    page = open_context().new_page()
    page.goto(place.sign_in_at(place.photos, scope="openid email", prompt="consent"))
    sign_in(page)

    page.click("#consent-allow")

    page.wait_for_url(f"{CALLBACK}?code=*")


def test_a_person_says_no_and_the_app_hears_it(place: Place, open_context: Open) -> None:
    page = open_context().new_page()
    page.goto(place.sign_in_at(place.photos, scope="openid phone", prompt="consent"))
    sign_in(page)

    page.click("#consent-deny")

    page.wait_for_url(f"{CALLBACK}?error=access_denied*")


def test_signing_in_works_without_javascript(place: Place, open_context: Open) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(place.sign_in_at(place.photos, scope="openid", prompt="consent"))
    sign_in(page)

    page.click("#consent-allow")

    page.wait_for_url(f"{CALLBACK}?code=*")


def test_a_person_signs_in_with_the_keyboard_alone(place: Place, open_context: Open) -> None:
    page = open_context().new_page()
    page.goto(place.page("/sign-in"))

    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    page.wait_for_url("**/account")


def test_the_button_pressed_twice_signs_in_once(place: Place, open_context: Open) -> None:
    context = open_context()
    posted: list[str] = []
    page = context.new_page()
    page.on("request", lambda r: posted.append(r.url) if r.method == "POST" else None)
    page.goto(place.page("/sign-in"))
    page.fill("#username", "alice")
    page.fill("#password", PASSWORD)

    page.dblclick("#login-submit", no_wait_after=True)

    page.wait_for_url("**/account")
    assert len([url for url in posted if url.endswith("/sign-in")]) == 1


@spec("KC#24595")
def test_a_tab_that_expired_leads_back_to_the_app(place: Place, open_context: Open) -> None:
    page = open_context().new_page()
    page.goto(place.sign_in_at(place.photos, prompt="login"))
    place.op.world.clock.advance(minutes=31)
    sign_in(page)
    expect(page.locator("h1")).to_have_text("This sign-in is over")

    page.click("#back-to-app")

    page.wait_for_url("https://photos.test/")


def test_another_browser_is_signed_out_from_the_account_page(
    place: Place, open_context: Open
) -> None:
    phone = at_home(place, open_context(user_agent="Mozilla/5.0 (Android 16) Firefox/145.0"))
    desk = at_home(place, open_context())
    desk.goto(place.page("/account/sessions"))
    card = desk.locator("section", has_text="Firefox 145 on Android").first

    card.locator("button.danger").click()

    expect(desk.locator("h1")).to_have_text("Signed out: one browser")
    phone.goto(place.page("/account/security"))
    assert phone.url == place.page("/sign-in?for=security")


@spec("design section 6", "LGO-05", "V7.4.1")
def test_everywhere_shows_what_ends_ends_it_and_keeps_it_from_the_back_button(
    place: Place, open_context: Open
) -> None:
    other = at_home(place, open_context())
    page = at_home(place, open_context())
    page.goto(place.page("/account/sessions"))
    page.click("#preview-everywhere summary")
    assert page.locator("#preview-everywhere li").count() >= 2

    page.click("#everywhere")
    expect(page.locator("h1")).to_have_text("You are signed out")
    page.go_back()
    page.wait_for_url("**/sign-in**")

    assert "Alice" not in page.content()
    other.goto(place.page("/account"))
    assert "/sign-in" in other.url


@spec("design P8", "BCL-05")
def test_the_last_page_tells_by_itself_what_became_of_an_app(
    place: Place, open_context: Open
) -> None:
    page = open_context().new_page()
    page.goto(place.sign_in_at(place.notes))
    sign_in(page)
    page.wait_for_url("https://rp.test/callback?code=*")
    code = page.url.partition("code=")[2].partition("&")[0]
    assert place.notes.redeem(code, "v" * 50).status_code == 200
    page.goto(place.page("/end_session"))
    page.click("#logout-confirm")
    expect(page.locator("#receipt")).to_contain_text("Is being told …")

    with place.op.world.app.app_context():
        place.op.world.app.extensions["idp.courier"].run_once()

    expect(page.locator("#receipt")).to_contain_text("Did not answer yet.")


@spec("design P8")
def test_without_javascript_the_receipt_is_looked_at_again_by_a_link(
    place: Place, open_context: Open
) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(place.sign_in_at(place.notes))
    sign_in(page)
    page.wait_for_url("https://rp.test/callback?code=*")
    code = page.url.partition("code=")[2].partition("&")[0]
    assert place.notes.redeem(code, "v" * 50).status_code == 200
    page.goto(place.page("/end_session"))
    page.click("#logout-confirm")
    expect(page.locator(".verdict")).to_contain_text("Still being told: Notes.")

    with place.op.world.app.app_context():
        place.op.world.app.extensions["idp.courier"].run_once()
    (again,) = re.findall(r'<noscript>.*?href="([^"]+)">Reload this page', page.content())
    page.goto(place.page(again))

    expect(page.locator("#receipt")).to_contain_text("Did not answer yet.")


def test_the_language_is_chosen_on_the_page_and_remembered(
    place: Place, open_context: Open
) -> None:
    page = open_context(locale="en-GB").new_page()
    page.goto(place.sign_in_at(place.photos, prompt="login", login_hint="alice"))

    page.click('button[value="de"]')
    expect(page.locator("h1")).to_have_text("Anmelden")
    assert page.input_value("#username") == "alice"
    page.goto(place.page("/sign-in"))

    expect(page.locator("h1")).to_have_text("Anmelden")


def test_times_are_shown_in_the_zone_of_the_reader(place: Place, open_context: Open) -> None:
    page = at_home(place, open_context(timezone_id="Asia/Tokyo", locale="en-GB"))
    page.goto(place.page("/account/sessions"))
    time = page.locator('section.here time[data-show="at"]')
    zoned = "new Intl.DateTimeFormat('en', {dateStyle: 'medium', timeStyle: 'medium'})"

    shown = time.inner_text()

    moment = time.get_attribute("datetime")
    assert shown == page.evaluate(f"{zoned}.format(new Date('{moment}'))")


AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@spec("WAN-03", "WAN-07")
def test_a_passkey_is_added_leads_on_to_an_app_and_is_removed(
    place: Place, open_context: Open
) -> None:
    context = open_context()
    page = at_home(place, context)
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(place.page("/account/security"))

    page.fill("#passkey-name", "Test key")
    page.click("#passkey-add")
    expect(page.locator(".done")).to_have_text("Your new passkey works from now on.")
    context.clear_cookies()
    page.goto(place.sign_in_at(place.photos, scope="openid", prompt="consent"))
    page.click("#consent-allow")
    page.wait_for_url(f"{CALLBACK}?code=*")
    page.goto(place.page("/account/security"))
    expect(page.locator("section", has_text="Test key")).to_contain_text("on one device")
    page.click('button[aria-label="Remove Test key"]')

    expect(page.locator(".done")).to_contain_text("The passkey was removed.")
    expect(page.locator("main")).to_contain_text("You have no passkey yet.")
