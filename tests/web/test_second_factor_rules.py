"""Who must have a second factor, as the operator says."""

from collections.abc import Iterator
from html import unescape

import pytest

from idp.app import create_app
from idp.domain import password_reset
from idp.settings import load
from idp.store import db
from tests.support.authenticator import Authenticator, Page
from tests.support.ciba import caller
from tests.support.phone import Owner, at_home, enter, house_of
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser, World, hidden, returned

REQUIRED = "IDP_SECOND_FACTOR__REQUIRED"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Everybody must have one."""
    with house_of(tmp_path_factory.mktemp("strict"), **{REQUIRED: "all"}) as made:
        yield made


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Nobody must."""
    with house_of(tmp_path_factory.mktemp("lenient"), **{REQUIRED: "nobody"}) as made:
        yield made


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Who has set one up."""
    data = tmp_path_factory.mktemp("usual")
    with house_of(data) as made:
        made.app.config["ENVIRON"] = {
            "IDP_DATA_DIR": str(data),
            "IDP_ISSUER": "https://op.test",
            "IDP_SECRET": "a secret that is only good for tests, and long",
        }
        yield made


def sets_up_at_the_door(owner: Owner) -> str:
    """Sign in for the first time where everybody must have an app; the page that follows."""
    browser = owner.world.browser()
    page = owner.half_way(browser)
    owner.phone.scan(page.text)
    done = enter(browser, page, owner.phone.code())
    owner.phone.write_down(done.text)
    owner.world.clock.advance(seconds=30)
    return done.text


@spec("V6.3.3", "TOT-04")
def test_who_must_have_one_sets_it_up_at_the_door(strict: World) -> None:
    owner, browser, app = Owner.of(strict), strict.browser(), strict.rp()

    asked = browser.http.get(browser.authorize(app).headers["Location"])
    half = browser.submit(asked, "/sign-in", username=owner.name, password=PASSWORD)
    page = browser.http.get(half.headers["Location"])
    owner.phone.scan(page.text)
    before = at_home(browser)
    wrong = enter(browser, page, owner.phone.wrong())
    done = enter(browser, wrong, owner.phone.code())
    owner.phone.write_down(done.text)
    onwards = done.text.partition('id="codes-kept" href="')[2].partition('"')[0]
    given = returned(browser.http.get(onwards.replace("&amp;", "&")))

    assert not before
    assert wrong.status_code == 400
    assert len(owner.phone.paper) == 10
    assert given["code"]


@spec("V6.3.3", "TOT-05")
def test_what_was_set_up_at_the_door_is_asked_from_then_on(strict: World) -> None:
    owner = Owner.of(strict)
    sets_up_at_the_door(owner)
    browser = strict.browser()

    page = owner.half_way(browser)
    answer = enter(browser, page, owner.phone.code())

    assert 'id="secret"' not in page.text
    assert answer.status_code == 303
    assert at_home(browser)


@spec("TOT-05", "TOT-01")
def test_of_two_who_set_it_up_at_the_door_the_later_is_sent_away(strict: World) -> None:
    owner = Owner.of(strict)
    thief = Owner(strict, owner.name, owner.sub, type(owner.phone)(strict.clock))
    browser = strict.browser()
    bait = thief.half_way(browser)
    thief.phone.scan(bait.text)
    sets_up_at_the_door(owner)

    answer = enter(browser, bait, thief.phone.code())

    assert "This sign-in is over" in answer.text
    assert not at_home(browser)
    assert owner.signs_in(strict.browser()).status_code == 303


@spec("TOT-07", "ADM-06")
def test_who_has_a_passkey_must_use_it_and_sets_up_nothing(strict: World) -> None:
    owner, key = Owner.of(strict), Authenticator()
    sets_up_at_the_door(owner)
    home = strict.browser()
    owner.signs_in(home)
    Page(home.http).add(key)
    home.submit(home.http.get("/account/security"), "/account/authenticator/remove")
    browser = strict.browser()

    page = owner.half_way(browser)
    guess = browser.http.post(
        "/sign-in/code",
        data={
            "csrf_token": Page(browser.http).token(),
            "step": page.request.args["step"],
            "code": "123456",
        },
    )
    after = at_home(browser)
    Page(browser.http).sign_in(key)

    assert "Use your passkey" in page.text
    assert 'id="secret"' not in page.text
    assert guess.status_code == 400
    assert not after
    assert at_home(browser)


def carried(browser: Browser, to: World) -> Browser:
    """The same browser, after the provider was started anew with another setting."""
    same = to.browser()
    for name in ("__Host-idp_session", "__Host-idp_browser"):
        cookie = browser.http.get_cookie(name)
        assert cookie is not None
        same.http.set_cookie(name, cookie.value)
    return same


@spec("ADM-06", "RFC 9470 section 5")
def test_a_session_from_before_the_rule_shows_a_code_at_the_next_app(usual: World) -> None:
    app, owner, without = usual.rp(), Owner.of(usual), Owner.of(usual)
    known, bare, other = usual.browser(), usual.browser(), usual.browser()
    known.sign_in(owner.name)
    bare.sign_in(without.name)
    other.sign_in(owner.name)
    owner.sets_up(other, others="")
    environ = usual.app.config["ENVIRON"] | {REQUIRED: "all"}

    anew = World(create_app(load(environ=environ), usual.clock), usual.clock)
    asked = carried(known, anew).authorize(app)
    begun = carried(bare, anew).authorize(app)
    quiet = carried(bare, anew).authorize(app, prompt="none")

    assert asked.headers["Location"].startswith("/sign-in/code?")
    assert begun.headers["Location"].startswith("/sign-in?")
    assert returned(quiet)["error"] == "login_required"
    with anew.app.app_context():
        db.engine.dispose()


@spec("RFC 9470 section 5")
def test_where_nobody_must_an_app_can_still_ask(lenient: World) -> None:
    owner, app, browser = Owner.enrolled(lenient), lenient.rp(), lenient.browser()

    plain = browser.sign_in(owner.name)
    asked = browser.authorize(app, acr_values="mfa")
    given = owner.goes_on(browser, asked)

    assert plain.headers["Location"] == "/account"
    assert asked.headers["Location"].startswith("/sign-in/code?")
    assert given["code"]


@spec("RFC 9470 section 5")
def test_an_app_that_asks_is_answered_by_one_sign_in(lenient: World) -> None:
    owner, app, browser = Owner.enrolled(lenient), lenient.rp(), lenient.browser()

    asked = browser.http.get(browser.authorize(app, acr_values="mfa").headers["Location"])
    half = browser.submit(asked, "/sign-in", username=owner.name, password=PASSWORD)

    assert half.headers["Location"].startswith("/sign-in/code?step=")


@spec("TOT-07")
def test_where_nobody_must_a_change_needs_the_code_all_the_same(lenient: World) -> None:
    owner, browser = Owner.enrolled(lenient), lenient.browser()
    browser.sign_in(owner.name)
    page = browser.http.get("/account/security")

    asked = browser.http.get("/sign-in?for=security")
    half = browser.submit(asked, "/sign-in", username=owner.name, password=PASSWORD)
    code = browser.http.get(half.headers["Location"])
    answer = enter(browser, code, owner.phone.code())
    after = browser.http.get("/account/security")

    assert 'id="confirm-it-is-me"' in page.text
    assert answer.headers["Location"] == "/account/security"
    assert 'id="authenticator-remove"' in after.text


@spec("RFC 9470 section 5", "DEV-05", "CIBA Core section 7.1")
def test_a_request_that_wants_a_code_waits_for_one(lenient: World) -> None:
    owner, browser = Owner.enrolled(lenient), lenient.browser()
    browser.sign_in(owner.name)
    asking = caller(lenient).asks(owner.name, acr_values="mfa")
    page = browser.http.get("/account/requests")

    early = browser.submit(page, "/account/requests", answer="allow")
    half = browser.submit(
        browser.http.get("/sign-in?for=requests"),
        "/sign-in",
        username=owner.name,
        password=PASSWORD,
    )
    enter(browser, browser.http.get(half.headers["Location"]), owner.phone.code())
    page = browser.http.get("/account/requests")
    allowed = browser.submit(page, "/account/requests", answer="allow")

    assert asking is not None
    assert early.headers["Location"] == "/sign-in?for=requests"
    assert allowed.headers["Location"].endswith("done=request-allow")


@spec("PWD-12", "V6.4.3")
def test_a_new_password_by_a_link_does_not_go_round_the_code(usual: World) -> None:
    owner, browser = Owner.enrolled(usual), usual.browser()
    with usual.app.app_context():
        row = usual.op.accounts.find(owner.sub)
        assert row is not None
        secret = password_reset.offer(usual.op, row, usual.clock.now)
        db.session.commit()
    new = "quite another phrase of words"

    browser.submit(browser.http.get(f"/reset?code={secret}"), "/reset", new_password=new)
    asked = browser.sign_in(owner.name, new)

    assert asked.headers["Location"].startswith("/sign-in/code?step=")
    assert not at_home(browser)


def test_the_language_is_chosen_in_the_middle_of_it(usual: World) -> None:
    owner, browser = Owner.enrolled(usual), usual.browser()
    page = enter(browser, owner.half_way(browser), "000")

    here = unescape(hidden(page.text, "/language")["back"])
    back = browser.submit(page, "/language", language="de", back=here)
    again = browser.http.get(back.headers["Location"])
    answer = enter(browser, again, owner.phone.code())

    assert "Code eingeben" in again.text
    assert answer.status_code == 303
