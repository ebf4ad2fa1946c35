"""Front-channel logout: the last page asks apps through the browser, and claims no more."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from idp.domain.metadata import InvalidMetadata
from idp.store import db
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World

BYE = "https://rp.test/bye"
ASK = "https://rp.test/frontchannel?app=notes"
CONFIRM = "/end_session/confirm"


@pytest.fixture
def notes(world: World) -> Rp:
    """A client that is asked through the browser, and wants its people back."""
    return world.rp("Notes", frontchannel_logout_uri=ASK, post_logout_redirect_uris=[BYE])


def frames(page: TestResponse) -> list[str]:
    return [unescape(src) for src in re.findall(r'<iframe[^>]* src="([^"]*)"', page.text)]


def frame_sources(page: TestResponse) -> list[str]:
    policy = page.headers["Content-Security-Policy"]
    found = re.search(r"frame-src ([^;]*)", policy)
    return found.group(1).split() if found else []


def signs_out(browser: Browser, **asked: str) -> TestResponse:
    """By the hint of an app, or by a yes on our page."""
    page = browser.http.get("/end_session", query_string=asked)
    return browser.submit(page, CONFIRM) if 'id="logout-confirm"' in page.text else page


def lines(world: World, account_id: str) -> list[tuple[str, str, str]]:
    with world.app.app_context():
        receipts = world.op.sign_outs.receipts
        (row,) = receipts.of_account(account_id)
        return [(line.kind, line.name, line.state) for line in receipts.lines(row.id)]


@spec("FCL-01", "Front-Channel Logout 1.0 section 3")
def test_the_last_page_loads_the_address_of_each_app_in_the_session_with_iss_and_sid(
    world: World, alice: str, notes: Rp
) -> None:
    world.rp("Never used", frontchannel_logout_uri="https://rp.test/never")
    browser = world.browser()
    browser.tokens(notes)
    browser.tokens(world.rp("Silent"))

    page = signs_out(browser)

    (address,) = frames(page)
    parts = urlsplit(address)
    asked = dict(parse_qsl(parts.query))
    assert address.startswith(ASK + "&")
    assert set(asked) == {"app", "iss", "sid"}
    assert asked["iss"] == "https://op.test"
    with world.app.app_context():
        taken = world.op.sessions.participation(asked["sid"])
        assert taken is not None
        assert taken.client_name == "Notes"


@spec("FCL-01", "BRW-01")
def test_the_page_lets_in_frames_of_exactly_these_origins_and_binds_their_hands(
    world: World, alice: str, notes: Rp
) -> None:
    photos = world.rp(
        "Photos",
        redirect_uris=["https://photos.test:8443/cb"],
        frontchannel_logout_uri="https://photos.test:8443/out",
    )
    browser = world.browser()
    browser.tokens(notes)
    browser.tokens(photos)

    page = signs_out(browser)

    assert frame_sources(page) == ["https://photos.test:8443", "https://rp.test"]
    assert re.findall(r'sandbox="([^"]*)"', page.text) == ["allow-scripts allow-same-origin"] * 2
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@spec("FCL-01")
def test_a_page_without_such_apps_lets_in_no_frame(world: World, alice: str) -> None:
    browser = world.browser()
    browser.tokens(world.rp("Silent"))

    page = signs_out(browser)

    assert frames(page) == frame_sources(page) == []


@spec("FCL-01", "LGO-04")
def test_whoever_is_wanted_back_gets_there_after_a_moment_by_script_by_itself_or_by_hand(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]

    page = signs_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE, state="s&t")

    back = f"{BYE}?state=s%26t"
    assert page.status_code == 200
    assert "You are signed out" in page.text
    assert len(frames(page)) == 1
    assert f'<meta http-equiv="refresh" content="3; url={back}">' in page.text
    assert f'id="go-on" role="button" href="{back}"' in page.text
    assert browser.http.get("/account").status_code == 303


@spec("design P8", "FCL-01")
def test_the_receipt_says_asked_and_that_nobody_can_confirm_it(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)

    page = signs_out(browser)

    assert ("frontchannel", "Notes", "asked") in lines(world, alice)
    assert ("app", "Notes", "ended") not in lines(world, alice)
    assert "Whether it did cannot be confirmed." in page.text
    assert "Asked through your browser, which nobody can confirm: Notes." in page.text


@spec("design P8")
def test_an_app_with_both_addresses_is_told_and_asked_and_has_a_line_for_each(
    world: World, alice: str
) -> None:
    both = world.rp(
        "Notes", frontchannel_logout_uri=ASK, backchannel_logout_uri="https://rp.test/back"
    )
    browser = world.browser()
    browser.tokens(both)

    signs_out(browser)

    said = [line for line in lines(world, alice) if line[0] in ("app", "frontchannel")]
    assert said == [("app", "Notes", "telling"), ("frontchannel", "Notes", "asked")]


@spec("design P8")
def test_apps_in_another_browser_are_not_said_to_have_been_asked(
    world: World, alice: str, notes: Rp
) -> None:
    there, here = world.browser(), world.browser()
    there.tokens(notes)
    here.sign_in()

    page = here.submit(
        here.http.get("/account/sessions"), "/account/sessions/end", what="everywhere"
    )

    assert frames(page) == []
    assert ("app", "Notes", "ended") in lines(world, alice)


@spec("FCL-01")
def test_signing_out_everywhere_on_the_account_page_asks_the_apps_in_this_browser(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)
    sessions = browser.http.get("/account/sessions")

    page = browser.submit(sessions, "/account/sessions/end", what="everywhere")

    assert "Notes is asked through your browser to sign you out" in sessions.text
    assert len(frames(page)) == 1
    assert ("frontchannel", "Notes", "asked") in lines(world, alice)


def test_looking_at_the_last_page_again_asks_nobody_again(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)
    signs_out(browser)

    again = browser.http.get("/signed-out")

    assert "Whether it did cannot be confirmed." in again.text
    assert frames(again) == []


def test_the_address_is_the_one_that_was_registered_when_the_app_took_part(
    world: World, alice: str, notes: Rp
) -> None:
    browser = world.browser()
    browser.tokens(notes)
    with world.app.app_context():
        world.op.clients.remove(notes.client_id, world.clock.now)
        db.session.commit()

    page = signs_out(browser)

    assert len(frames(page)) == 1


@spec("FCL-02", "Front-Channel Logout 1.0 section 2", "DCR-01")
@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.test/out",
        "https://rp.test:8443/out",
        "http://rp.test/out",
        "https://rp.test/out#here",
        "https://rp.test.evil.test/out",
        "https://user@rp.test/out",
        "javascript:alert(1)",
        "data:text/html,x",
    ],
)
def test_an_address_that_is_not_where_a_redirect_uri_is_is_refused(
    world: World, address: str
) -> None:
    body = {"redirect_uris": ["https://rp.test/callback"], "frontchannel_logout_uri": address}

    answer = world.http().post("/register", json=body)
    with pytest.raises(InvalidMetadata):
        world.rp("Notes", frontchannel_logout_uri=address)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_client_metadata"


@spec("FCL-02")
def test_a_default_port_may_be_spelled_out(world: World) -> None:
    body = {
        "redirect_uris": ["https://rp.test/callback"],
        "frontchannel_logout_uri": "https://rp.test:443/out",
        "frontchannel_logout_session_required": True,
    }

    answer = world.http().post("/register", json=body)

    assert answer.status_code == 201
    assert answer.json["frontchannel_logout_session_required"] is True


@spec("product KC#48241")
def test_the_name_of_an_app_is_text_on_the_last_page_and_nothing_more(
    world: World, alice: str
) -> None:
    name = "<script>alert(1)</script>"
    notes = world.rp(name, frontchannel_logout_uri=ASK, post_logout_redirect_uris=[BYE])
    browser = world.browser()
    hint = browser.tokens(notes)["id_token"]

    page = signs_out(browser, id_token_hint=hint, post_logout_redirect_uri=BYE)

    assert name not in page.text
    assert "&lt;script&gt;" in page.text
