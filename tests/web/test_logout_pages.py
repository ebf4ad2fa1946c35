"""Signing out as a person sees it: asked, done, and shown what became of it."""

import re
import threading
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, hidden

BYE = "https://rp.test/bye"
CONFIRM = "/end_session/confirm"


@pytest.fixture
def notes(world: World) -> Rp:
    """A client that wants its people back after a sign-out."""
    return world.rp("Notes", post_logout_redirect_uris=[BYE])


def ask(browser: Browser, **query: Any) -> TestResponse:
    return browser.http.get("/end_session", query_string=query)


def signed_in(browser: Browser) -> bool:
    return browser.http.get("/account").status_code == 200


def receipts(world: World, account_id: str) -> int:
    with world.app.app_context():
        return len(world.op.sign_outs.receipts.of_account(account_id))


@spec("LGO-01")
def test_the_page_says_who_asks_what_ends_and_what_does_not(
    world: World, alice: str, notes: Rp
) -> None:
    mail = world.rp("Mail", trusted=False)
    browser = world.browser()
    browser.tokens(notes)
    world.clock.advance(seconds=1)
    browser.tokens(mail, scope="openid offline_access", prompt="consent")

    page = ask(browser, client_id=notes.client_id)

    assert "This app asks you to sign out" in page.text
    assert "This signs <strong>alice</strong> out in this browser." in page.text
    assert re.findall(r"<li>(.*?)</li>", page.text) == ["Notes", "Mail"]
    assert "Not ended by this: Mail may stay connected" in page.text
    assert signed_in(browser)


@spec("BRW-03")
def test_the_page_holds_no_token_of_the_app(world: World, alice: str, notes: Rp) -> None:
    world.person("bob")
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]
    browser.sign_in("bob")

    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert 'id="logout-confirm"' in page.text
    assert hint.split(".")[1] not in page.text


@spec("LGO-01", "V10.6.2")
def test_a_hint_about_somebody_else_is_asked_about_and_ends_only_what_is_here(
    world: World, alice: str, notes: Rp
) -> None:
    world.person("bob")
    first, browser = world.browser(), world.browser()
    hint = first.tokens(notes)["id_token"]
    browser.sign_in("bob")

    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s")
    still = signed_in(browser)
    done = browser.submit(page, CONFIRM)

    assert still
    assert done.headers["Location"] == f"{BYE}?state=s"
    assert not signed_in(browser)
    assert signed_in(first)


@spec("LGO-03", "LGO-04")
def test_who_was_sent_with_a_bad_request_can_still_sign_out(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]

    page = ask(browser, id_token_hint=hint, post_logout_redirect_uri="https://evil.test/")
    still = signed_in(browser)
    done = browser.submit(page, CONFIRM)

    assert page.status_code == 400
    assert "Sign-out error" in page.text
    assert "evil.test" not in page.text
    assert still
    assert "You are signed out" in done.text
    assert not signed_in(browser)


def test_a_bad_request_with_nobody_signed_in_says_so(world: World, notes: Rp) -> None:
    page = ask(world.browser(), id_token_hint="not.a.token")

    assert page.status_code == 400
    assert "Nobody is signed in in this browser." in page.text
    assert "logout-confirm" not in page.text


@spec("LGO-01", "RP-Initiated Logout 1.0 section 2")
def test_a_form_of_the_app_brings_no_cookies_and_is_asked_for_again(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s", "x": "y"}

    posted = world.http().post("/end_session", data=form)
    answer = browser.http.get(posted.headers["Location"])

    assert posted.status_code == 303
    query = parse_qs(urlsplit(posted.headers["Location"]).query)
    assert set(query) == {"id_token_hint", "post_logout_redirect_uri", "state"}
    assert answer.headers["Location"] == f"{BYE}?state=s"
    assert not signed_in(browser)


@spec("LGO-02")
def test_a_good_hint_ends_its_session_when_the_cookie_is_lost(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    tokens = browser.tokens(notes)
    without_cookies = world.browser()

    answer = ask(without_cookies, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE)

    assert answer.headers["Location"] == BYE
    assert not signed_in(browser)
    assert notes.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_a_hint_about_the_session_before_this_one_ends_both(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    old = browser.tokens(notes)
    browser.http.delete_cookie("__Host-idp_session")
    browser.sign_in()

    page = ask(browser, id_token_hint=old["id_token"])
    browser.submit(page, CONFIRM)

    assert not signed_in(browser)
    assert notes.refresh(old["refresh_token"]).json["error"] == "invalid_grant"


@spec("LGO-06")
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Purpose": "prefetch"}],
)
def test_an_image_or_a_browser_looking_ahead_signs_nobody_out(
    world: World, alice: str, notes: Rp, headers: dict[str, str]
) -> None:
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]

    answer = browser.http.get("/end_session", query_string={"id_token_hint": hint}, headers=headers)

    assert answer.status_code == 403
    assert signed_in(browser)


@spec("LGO-08")
def test_two_presses_at_once_leave_one_receipt_and_no_fault(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)
    form = hidden(ask(browser, state="x").text, CONFIRM)
    cookies = {
        name: found.value
        for name in ("__Host-idp_session", "__Host-idp_browser")
        if (found := browser.http.get_cookie(name)) is not None
    }
    answers: list[int] = []

    def press() -> None:
        again = world.browser()
        for name, value in cookies.items():
            again.http.set_cookie(name, value)
        answers.append(again.http.post(CONFIRM, data=form).status_code)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * 8
    assert receipts(world, alice) == 1


@spec("LGO-01")
def test_a_yes_counts_when_the_page_was_open_too_long(world: World, alice: str, notes: Rp) -> None:
    browser = world.browser()
    browser.tokens(notes)
    page = ask(browser, client_id=notes.client_id, post_logout_redirect_uri=BYE)
    world.clock.advance(minutes=45)

    done = browser.submit(page, CONFIRM)

    assert "You are signed out" in done.text
    assert not signed_in(browser)


@spec("RED-18", "LGO-03")
def test_what_an_app_asked_in_one_browser_is_not_done_in_another(
    world: World, alice: str, notes: Rp
) -> None:
    first, second = world.browser(), world.browser()
    first.tokens(notes)
    second.sign_in()
    parked = hidden(ask(first, client_id=notes.client_id).text, CONFIRM)["tx"]
    page = ask(second)

    done = second.submit(page, CONFIRM, tx=parked)

    assert "You are signed out" in done.text
    assert signed_in(first)


@spec("design P8")
def test_the_last_page_shows_the_receipt_to_this_browser_for_a_while_and_to_nobody_else(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)
    done = browser.submit(ask(browser), CONFIRM)

    again = browser.http.get("/signed-out")
    stranger = world.browser().http.get("/signed-out")
    forger = world.browser()
    forger.http.set_cookie("idp_farewell", "a-receipt.forged")
    world.clock.advance(minutes=11)
    later = browser.http.get("/signed-out")

    assert "Signed out here, but this app cannot be told." in done.text
    assert "Signed out here, but this app cannot be told." in again.text
    for page in (stranger, forger.http.get("/signed-out"), later):
        assert page.status_code == 200
        assert "Notes" not in page.text


@spec("LGO-01", "B.5")
def test_signing_out_when_nobody_is_signed_in_is_just_the_last_page(world: World) -> None:
    page = ask(world.browser())

    assert page.status_code == 200
    assert "You are signed out" in page.text
    assert "Nobody is signed in in this browser." in page.text
