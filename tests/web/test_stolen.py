"""What a person sees, and can do, when a token was copied or a device is lost."""

import re
from html import unescape

import pytest

from tests.support.holder import Holder
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, hidden

pytestmark = pytest.mark.slow


@pytest.fixture
def browser(world: World, alice: str) -> Browser:
    """Alice, signed in at the provider itself."""
    made = world.browser()
    made.sign_in()
    return made


def lately(browser: Browser, language: str = "en") -> str:
    """The newest alarming line of "what happened lately", as text."""
    page = browser.http.get("/account", headers={"Accept-Language": language})
    (line,) = re.findall(r'<li class="alarm">(.*?)</li>', page.text, re.S)
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", line).split()))


def reuse(browser: Browser, rp: Rp) -> None:
    """A thief uses the refresh token after its owner did."""
    token = browser.tokens(rp)["refresh_token"]
    rp.refresh(token)
    rp.refresh(token)


@spec("RFC 9700 section 4.14.2", "RFT-04", "design section 5")
def test_a_copied_token_shows_on_the_account_page(world: World, browser: Browser, rp: Rp) -> None:
    reuse(browser, rp)

    said = lately(browser)

    assert said.startswith("A copied token was used at Notes; we ended its access 127.0.0.1")
    assert re.search(rf"{world.clock.now:%H:%M:%S}|{world.clock.now:%-I:%M:%S}", said)


@spec("RFC 6749 section 4.1.2", "COD-02")
def test_a_copied_code_shows_on_the_account_page(browser: Browser, rp: Rp) -> None:
    code = browser.code(rp)
    rp.redeem(code, browser.verifier)
    rp.redeem(code, browser.verifier)

    said = lately(browser)

    assert said.startswith("A copied code was used at Notes; we ended what it gave")


def test_it_is_said_in_german_too(browser: Browser, rp: Rp) -> None:
    reuse(browser, rp)

    said = lately(browser, "de")

    assert said.startswith("Ein kopiertes Token wurde bei Notes benutzt; wir haben den Zugang")


@spec("design section 5", "design P8")
def test_an_alarm_leads_to_the_receipt_of_what_was_ended(browser: Browser, rp: Rp) -> None:
    reuse(browser, rp)
    page = browser.http.get("/account").text
    (address,) = re.findall(r'<li class="alarm">.*?href="(/receipts/[^"]+)"', page, re.S)

    receipt = browser.http.get(address)

    assert "a copied token was used" in receipt.text
    assert "Cannot renew its access any more." in receipt.text


@spec("design section 6", "RFC 9449 section 5")
def test_what_a_lost_device_opens_is_ended_by_its_key(world: World, browser: Browser) -> None:
    public = world.rp("Notes", token_endpoint_auth_method="none", dpop_bound_access_tokens=True)
    phone, desk = Holder.of(public), Holder.of(public)
    lost, kept = browser.tokens(phone), browser.tokens(desk)
    page = browser.http.get("/account/sessions").text
    (form,) = [
        hidden(form, "/account/sessions/end")
        for form in re.findall(r"<form.*?</form>", page, re.S)
        if phone.prover.jkt in form
    ]

    answer = browser.http.post("/account/sessions/end", data=form)
    receipt = browser.http.get(answer.headers["Location"]).text

    assert "Signed out: one key" in receipt
    assert phone.refresh(lost["refresh_token"]).json["error"] == "invalid_grant"
    assert phone.userinfo(lost["access_token"]).status_code == 401
    assert desk.refresh(kept["refresh_token"]).status_code == 200
    assert browser.http.get("/account").status_code == 200


@spec("V8.3.1", "design section 6")
def test_nobody_ends_what_the_key_of_another_opens(world: World, browser: Browser) -> None:
    public = world.rp("Notes", token_endpoint_auth_method="none", dpop_bound_access_tokens=True)
    phone = Holder.of(public)
    tokens = browser.tokens(phone)
    world.person("bob")
    bob = world.browser()
    bob.sign_in("bob")
    form = hidden(bob.http.get("/account/sessions").text, "/account/sessions/end")

    form |= {"what": "device", "jkt": phone.prover.jkt}
    answer = bob.http.post("/account/sessions/end", data=form)

    assert answer.headers["Location"] == "/account/sessions?done=nothing"
    assert phone.refresh(tokens["refresh_token"]).status_code == 200


def test_a_key_that_is_not_named_is_no_key(browser: Browser) -> None:
    form = hidden(browser.http.get("/account/sessions").text, "/account/sessions/end")

    answer = browser.http.post("/account/sessions/end", data=form | {"what": "device"})

    assert answer.headers["Location"] == "/account/sessions?done=nothing"
    assert browser.http.get("/account").status_code == 200
