"""A person, a browser, two apps and an API."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import PASSWORD, Demo
from tests.support.spec import spec

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}


def sign_in(page: Page, who: str = "alice") -> None:
    """On the provider's page, by password; consent if asked."""
    page.fill("#username", who)
    page.fill("#password", PASSWORD)
    page.click("#login-submit")
    page.wait_for_selector("#consent-allow, #logout, .bar")
    if page.query_selector("#consent-allow"):
        page.click("#consent-allow")


def open_notes(context: BrowserContext, demo: Demo, who: str = "alice") -> Page:
    page = context.new_page()
    page.goto(demo.notes)
    page.click("#login")
    sign_in(page, who)
    page.wait_for_selector("#logout")
    return page


def open_photos(context: BrowserContext, demo: Demo) -> Page:
    page = context.new_page()
    page.goto(f"{demo.photos}/login")
    page.wait_for_selector("#consent-allow, #logout")
    if page.query_selector("#consent-allow"):
        page.click("#consent-allow")
    page.wait_for_selector("#logout")
    return page


def call(page: Page) -> str:
    page.click("#call")
    page.wait_for_selector(".answer.yes, .answer.no")
    return page.inner_text("#answer")


@spec("design section 1", "LGO-05", "BCL-02")
def test_signing_out_at_one_app_ends_both_and_the_api(context: BrowserContext, demo: Demo) -> None:
    notes = open_notes(context, demo)
    photos = open_photos(context, demo)
    assert call(notes).startswith("200")
    assert call(photos).startswith("200")

    notes.click("#logout")

    notes.wait_for_selector("#login")
    photos.wait_for_selector("#login")
    assert call(photos).startswith("401")
    assert "after the sign-out" in photos.inner_text("#answer")


@spec("SES-06", "RFT-12")
@pytest.mark.parametrize("button", ["section.here button.danger", "#everywhere"])
def test_signing_out_on_the_account_page_ends_the_apps(
    context: BrowserContext, demo: Demo, button: str
) -> None:
    notes = open_notes(context, demo)
    account = context.new_page()
    account.goto(f"{demo.provider}/account/sessions")

    account.click(button)

    expect(account.locator("h1")).to_have_text("You are signed out")
    notes.wait_for_selector("#login")
    assert call(notes).startswith("401")


@spec("LGO-05", "V7.4.1")
def test_the_back_button_shows_nothing_after_a_sign_out(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    page.goto(f"{demo.provider}/account")
    sign_in(page)
    page.wait_for_url("**/account")
    page.click(".out")
    page.click("#logout-confirm")
    expect(page.locator("h1")).to_have_text("You are signed out")

    page.go_back()
    page.go_back()
    page.reload()

    assert page.url.endswith("/sign-in")


@spec("WAN-01", "WAN-03", "WAN-04")
def test_a_passkey_is_added_and_signs_in_by_itself(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(f"{demo.provider}/account/security")
    sign_in(page, "bob")
    page.goto(f"{demo.provider}/account/security")
    page.fill("#passkey-name", "My laptop")
    page.click("#passkey-add")
    expect(page.locator('input[name="name"]')).to_have_value("My laptop")
    context.clear_cookies()

    page.goto(f"{demo.provider}/sign-in")

    page.wait_for_url("**/account")
    assert "Bob" in page.inner_text("h1")


@spec("KC#24595")
def test_a_tab_left_open_recovers(context: BrowserContext, demo: Demo) -> None:
    first = context.new_page()
    first.goto(f"{demo.notes}/login")
    second = context.new_page()
    second.goto(first.url)
    sign_in(first)
    first.wait_for_selector("#logout")

    second.fill("#username", "alice")
    second.fill("#password", PASSWORD)
    second.click("#login-submit")

    expect(second.locator("h1")).to_have_text("This sign-in is over")


@spec("BRW-01")
def test_no_page_breaks_its_own_rules(context: BrowserContext, demo: Demo) -> None:
    problems: list[str] = []
    page = context.new_page()
    page.on("console", lambda m: problems.append(m.text) if "Security" in m.text else None)
    page.goto(f"{demo.provider}/account")
    sign_in(page)

    for path in ("", "/profile", "/security", "/sessions", "/apps", "/receipts"):
        page.goto(f"{demo.provider}/account{path}")
        assert page.locator("h1").count() == 1

    assert problems == []
