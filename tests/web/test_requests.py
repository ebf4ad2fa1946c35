"""The page where a person answers apps that asked without a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from idp.store import db
from tests.support.ciba import answers, caller
from tests.support.spec import spec
from tests.support.world import Browser, World, hidden, make_world

PAGE = "/account/requests"


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(Path(tmp_path_factory.mktemp("requests")))
    made.person("alice", email="alice@example.com")
    made.person("bob")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alice(op: World) -> Browser:
    op.clock.advance(minutes=11)  # what others left is over
    browser = op.browser()
    browser.sign_in()
    return browser


def sends(browser: Browser, form: dict[str, str]) -> TestResponse:
    """Press a button of the page."""
    return browser.http.post(PAGE, data=form)


@spec("CIBA Core section 5", "RFC 10027")
def test_a_notice_leads_to_the_request_and_the_page_says_what_it_is(
    op: World, alice: Browser
) -> None:
    before = alice.http.get("/account").text
    caller(op, client_name="Bank").asks(scope="openid email", binding_message="K7-4821")

    overview, page = alice.http.get("/account").text, alice.http.get(PAGE).text

    assert "An app waits for your answer." not in before
    assert "An app waits for your answer." in overview
    for words in ("Bank", "K7-4821", "alice@example.com", "Only go on if you started this"):
        assert words in page


def test_two_requests_are_two(op: World, alice: Browser) -> None:
    caller(op, client_name="First").asks()
    op.clock.advance(seconds=1)
    caller(op, client_name="Second").asks()

    page = alice.http.get(PAGE).text

    assert "2 apps wait for your answer." in alice.http.get("/account").text
    assert page.index("First") < page.index("Second")


@pytest.mark.parametrize(
    ("said", "words", "event"),
    [
        ("allow", "You allowed it.", "Request allowed"),
        ("deny", "You did not allow it.", "Request refused"),
    ],
)
def test_an_answer_is_said_and_written_down(
    op: World, alice: Browser, said: str, words: str, event: str
) -> None:
    caller(op, client_name="Bank").asks()

    page = answers(alice, said)

    assert words in page.text
    assert "No app waits for you now." in page.text
    assert event in alice.http.get("/account").text


@spec("CSR-01", "CSR-02", "DEV-05")
def test_an_answer_counts_for_this_browser_and_person_only(op: World, alice: Browser) -> None:
    app, bob = caller(op).asks(), op.browser()
    bob.sign_in("bob")
    form = hidden(alice.http.get(PAGE).text, PAGE) | {"answer": "allow"}

    foreign = sends(bob, form)
    forged = sends(alice, form | {"csrf_token": "0" * 64})
    theirs = sends(bob, form | {"csrf_token": csrf_of(bob)})
    unmarked = sends(alice, form | {"about": "0" * 64})
    neither = sends(alice, form | {"answer": "perhaps"})

    assert [foreign.status_code, forged.status_code, theirs.status_code] == [403, 403, 404]
    assert [unmarked.status_code, neither.status_code] == [200, 400]
    assert app.hears() == "authorization_pending"


def csrf_of(browser: Browser) -> str:
    return hidden(browser.http.get("/account/profile").text, "/account/profile")["csrf_token"]


def test_who_comes_too_late_is_told_so(op: World, alice: Browser) -> None:
    app = caller(op).asks(requested_expiry="30")
    form = hidden(alice.http.get(PAGE).text, PAGE) | {"answer": "allow"}
    op.clock.advance(seconds=31)

    late = alice.http.get(sends(alice, form).headers["Location"])

    assert "This request was over already." in late.text
    assert app.hears() == "expired_token"


@spec("DEV-05", "STP-02")
def test_an_app_that_wants_a_stronger_sign_in_has_the_person_prove_themselves(
    op: World, alice: Browser
) -> None:
    app = caller(op).asks(acr_values="phr")
    op.clock.advance(minutes=9)
    alice.sign_in()
    op.clock.advance(seconds=30)
    young = answers(alice, "allow")
    app.asks(acr_values="phr")
    op.clock.advance(minutes=9, seconds=50)
    old = alice.http.get(PAGE)

    away = sends(alice, hidden(old.text, PAGE) | {"answer": "allow"})

    assert "You allowed it." in young.text
    assert "Sign in again and allow" in old.text
    assert away.headers["Location"] == "/sign-in?for=requests"
    assert app.hears() == "authorization_pending"


def test_a_request_of_an_app_that_is_gone_is_not_shown(op: World, alice: Browser) -> None:
    app = caller(op, client_name="Gone").asks()
    with op.app.app_context():
        op.op.clients.disable(app.rp.client_id, op.clock.now)
        db.session.commit()

    assert "Gone" not in alice.http.get(PAGE).text


@spec("BRW-06")
def test_what_an_app_says_is_text(op: World, alice: Browser) -> None:
    caller(op, client_name="<b>Bank</b>").asks(binding_message="<img src=x>")

    page = alice.http.get(PAGE).text

    assert "<img src=x>" not in page
    assert "<b>Bank" not in page
    assert "&lt;img src=x&gt;" in page
