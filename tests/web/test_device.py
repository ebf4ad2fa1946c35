"""The page where a person types the code of a device (RFC 8628 section 3.3)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from tests.support.device import answers, tv, types
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser, World, hidden, make_world

ADDRESS = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("device")))
    made.person("alice")
    made.person("bob")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alice(op: World) -> Browser:
    op.clock.advance(minutes=11)  # what others counted is over
    browser = op.browser()
    browser.sign_in()
    return browser


@spec("RFC 8628 section 3.3.1", "DEV-03", "RFC 10027")
def test_a_code_in_the_address_survives_the_sign_in_and_is_only_filled_in(op: World) -> None:
    box, browser = tv(op).asks(), op.browser()
    there = browser.http.get(box.asked["verification_uri_complete"].removeprefix("https://op.test"))

    page = browser.http.get(there.headers["Location"])
    landed = browser.submit(page, "/sign-in", username="alice", password=PASSWORD)
    shown = browser.http.get(landed.headers["Location"])

    assert "to connect a device" in page.text
    assert landed.headers["Location"] == "/device"
    assert f'value="{box.code}"' in shown.text
    assert "exactly this code" in shown.text
    assert box.hears() == "authorization_pending"


@spec("RFC 8628 section 5.4", "RFC 10027", "DEV-03")
def test_the_page_says_who_asks_from_where_and_when_and_whom_to_distrust(
    op: World, alice: Browser
) -> None:
    rp = tv(op, client_name="Kitchen radio").rp
    form = {"client_id": rp.client_id, "scope": "openid email"}
    given = op.http().post("/device_authorization", data=form, environ_base=ADDRESS).json
    op.clock.advance(minutes=2)

    page = types(alice, given["user_code"].lower().replace("-", " "))

    assert "Kitchen radio" in page.text
    assert "198.51.100.7" in page.text
    assert "2 minutes ago" in page.text
    assert "See your e-mail address" in page.text
    assert "Only go on if you started this yourself." in page.text
    assert "not in the network that you are in" in page.text


@spec("RFC 10027")
def test_a_device_next_to_the_person_is_said_to_be(op: World, alice: Browser) -> None:
    page = types(alice, tv(op).asks().code)

    assert "in the same network as you" in page.text


@spec("DEV-03")
@pytest.mark.parametrize(
    ("said", "words", "heard"),
    [
        ("allow", "The device is connected", ""),
        ("deny", "The device gets nothing", "access_denied"),
    ],
)
def test_the_last_page_says_what_became_of_it(
    op: World, alice: Browser, said: str, words: str, heard: str
) -> None:
    box = tv(op).asks()

    page = answers(alice, box.code, said)

    assert words in page.text
    assert box.hears() == heard


@spec("DEV-05", "CSR-01", "CSR-02")
def test_an_answer_counts_for_this_person_and_this_form_only(op: World, alice: Browser) -> None:
    box = tv(op).asks()
    form = hidden(types(alice, box.code).text, "/device/confirm") | {"answer": "allow"}
    other = op.browser()
    other.sign_in("bob")

    forged = alice.http.post("/device/confirm", data=form | {"csrf_token": "0" * 64})
    theirs = other.http.post("/device/confirm", data=form)
    alice.sign_in("bob")
    changed = alice.http.post("/device/confirm", data=form)

    assert [forged.status_code, theirs.status_code] == [403, 403]
    assert "Somebody else has signed in" in changed.text
    assert box.hears() == "authorization_pending"


@pytest.mark.parametrize("said", ["", "0", "maybe"])
@spec("DEV-03")
def test_what_is_neither_yes_nor_no_is_no_answer(op: World, alice: Browser, said: str) -> None:
    box = tv(op).asks()

    answer = alice.submit(types(alice, box.code), "/device/confirm", answer=said)

    assert answer.status_code == 400
    assert box.hears() == "authorization_pending"


@spec("P3", "DEV-01")
def test_a_request_is_answered_once_and_by_one_person(op: World, alice: Browser) -> None:
    box, other = tv(op).asks(), op.browser()
    other.sign_in("bob")
    page = types(other, box.code)
    answers(alice, box.code, "deny")

    late = other.submit(page, "/device/confirm", answer="allow")
    shown = other.http.get(late.headers["Location"])

    assert "This request is over" in shown.text
    assert box.hears() == "access_denied"
    assert types(other, box.code).status_code == 400


@spec("DEV-01")
@pytest.mark.parametrize("typed", ["", "WDJB", "WDJB-MJHT", "<b>", "\u00e9" * 70])
def test_a_code_that_is_none_is_told_so_and_never_a_fault(
    op: World, alice: Browser, typed: str
) -> None:
    page = types(alice, typed)

    assert page.status_code == 400
    assert "No device waits with this code" in page.text
    assert "<b>" not in page.text


@spec("DEV-01", "RFC 8628 section 5.1", "PWD-09")
def test_guesses_are_counted_by_session(op: World, alice: Browser) -> None:
    box = tv(op).asks()

    guesses = [types(alice, "WDJB-MJHT").status_code for _ in range(10)]
    barred = types(alice, box.code)
    op.clock.advance(minutes=9)

    assert guesses == [400] * 10
    assert barred.status_code == 429
    assert int(barred.headers["Retry-After"]) > 0
    assert "Wait 10 minutes" in barred.text


@spec("DEV-01", "RFC 8628 section 5.1", "PWD-09")
def test_guesses_are_counted_by_address_whatever_the_session(op: World, alice: Browser) -> None:
    statuses = []
    for number in range(6):
        name = f"guesser{number}"
        op.person(name)
        browser = op.browser()
        browser.sign_in(name)
        statuses += [types(browser, "WDJB-MJHT").status_code for _ in range(9)]

    assert statuses == [400] * 50 + [429] * 4


@spec("DEV-01", "RFC 8628 section 5.1")
def test_guesses_are_counted_over_all(op: World, alice: Browser) -> None:
    with op.app.app_context():
        for _ in range(1000):
            op.op.throttle.count("user_codes", "all", op.clock.now)

    page = types(alice, tv(op).asks().code)

    assert page.status_code == 429


@spec("DEV-05")
def test_an_app_that_wants_a_young_sign_in_gets_one(op: World, alice: Browser) -> None:
    box = tv(op, default_max_age=300).asks()
    op.clock.advance(minutes=6)
    away = alice.submit(alice.http.get("/device"), "/device", user_code=box.code)

    asked = alice.http.get(away.headers["Location"])
    alice.sign_in()
    page = alice.http.get("/device")

    assert asked.headers["Location"] == "/sign-in?for=device"
    assert f'value="{box.code}"' in page.text
    assert "The device is connected" in answers(alice, box.code).text


def test_nobody_sees_the_pages_without_signing_in(op: World) -> None:
    http = op.browser().http

    for path in ("/device", "/device/confirm?request=nothing"):
        assert http.get(path).headers["Location"] == "/sign-in?for=device"


def test_a_request_nobody_made_does_not_exist(op: World, alice: Browser) -> None:
    assert alice.http.get("/device/confirm?request=nothing").status_code == 404


def test_a_request_of_an_app_that_is_gone_is_over(op: World, alice: Browser) -> None:
    box = tv(op).asks()
    page = types(alice, box.code)
    with op.app.app_context():
        op.op.clients.disable(box.rp.client_id, op.clock.now)
        db.session.commit()

    answer = alice.submit(page, "/device/confirm", answer="allow")

    assert answer.status_code == 400
    assert "This request is over" in answer.text


def test_a_device_that_was_connected_is_among_the_apps_and_can_be_removed(
    op: World, alice: Browser
) -> None:
    box = tv(op, client_name="Bedroom television").asks(scope="openid offline_access")
    answers(alice, box.code)
    token = box.polls().json["refresh_token"]
    page = alice.http.get("/account/apps")

    alice.submit(page, "/account/apps/remove", client=box.rp.client_id)

    assert "Bedroom television" in page.text
    assert "Device connected" in alice.http.get("/account").text
    assert box.rp.refresh(token).json["error"] == "invalid_grant"
