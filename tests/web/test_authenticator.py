"""The authenticator app on the account page: turning it on, moving it, taking it away."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from sqlalchemy import select

from idp.domain.events import Event
from idp.store import db, writing
from idp.store.people import Totp
from tests.support.authenticator import Authenticator, Page
from tests.support.phone import Owner, at_home, enter, house_of, lately
from tests.support.spec import spec
from tests.support.world import PASSWORD, Browser, World, hidden

SECURITY = "/account/security"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with house_of(tmp_path_factory.mktemp("authenticators")) as made:
        yield made


@pytest.fixture
def owner(house: World) -> Owner:
    """Somebody who has no app yet."""
    return Owner.of(house)


@pytest.fixture
def browser(owner: Owner) -> Browser:
    """Theirs, and they are signed in."""
    made = owner.world.browser()
    made.sign_in(owner.name)
    return made


def enrolled(owner: Owner) -> bool:
    with owner.world.app.app_context():
        return owner.world.op.accounts.second_factors.enrolled(owner.sub)


def events(owner: Owner) -> list[Event]:
    with owner.world.app.app_context():
        return owner.world.op.events.of_account(owner.sub)


@spec("TOT-04")
def test_it_counts_only_after_one_right_code(owner: Owner, browser: Browser) -> None:
    page = owner.scans(browser)
    before = enrolled(owner)

    wrong = browser.submit(page, "/account/authenticator/confirm", code=owner.phone.wrong())
    still = enrolled(owner)
    right = browser.submit(wrong, "/account/authenticator/confirm", code=owner.phone.code())

    assert (wrong.status_code, right.status_code) == (400, 200)
    assert (before, still, enrolled(owner)) == (False, False, True)


@spec("TOT-04", "RFC 4226 section 4")
def test_the_picture_and_the_letters_say_the_same(owner: Owner, browser: Browser) -> None:
    page = owner.scans(browser)

    (address,) = re.findall(r'href="(otpauth://[^"]+)"', page.text)
    parts = urlsplit(address.replace("&amp;", "&"))
    said = {name: value for name, (value,) in parse_qs(parts.query).items()}

    assert unquote(parts.path) == f"/idp:{owner.name}"
    assert base64.b32decode(said.pop("secret")) == owner.phone.key
    assert said == {"issuer": "idp"}
    assert len(owner.phone.key) * 8 == 160
    assert 'src="data:image/svg+xml' in page.text


@spec("TOT-04")
def test_the_secret_is_shown_until_it_counts_and_never_again(
    owner: Owner, browser: Browser
) -> None:
    page = owner.scans(browser)
    address = page.request.full_path
    again = browser.http.get(address)
    browser.submit(page, "/account/authenticator/confirm", code=owner.phone.code())

    after = browser.http.get(address)
    security = browser.http.get(SECURITY)

    letters = re.findall(r'id="secret">([^<]+)<', page.text)[0]
    assert letters in again.text
    assert after.headers["Location"] == SECURITY
    assert letters not in security.text


@spec("TOT-04", "design P6")
def test_another_secret_is_drawn_each_time(owner: Owner, browser: Browser) -> None:
    owner.scans(browser)
    first = owner.phone.key
    owner.scans(browser)

    assert owner.phone.key != first


@spec("TOT-07", "TOT-04", "KC#49225")
@pytest.mark.parametrize(
    "path",
    ["/account/authenticator", "/account/authenticator/remove", "/account/recovery-codes"],
)
def test_an_old_sign_in_changes_nothing(owner: Owner, browser: Browser, path: str) -> None:
    owner.sets_up(browser)
    token = hidden(browser.http.get(SECURITY).text, path)
    owner.world.clock.advance(minutes=11)

    answer = browser.http.post(path, data=token)

    assert answer.headers["Location"] == "/sign-in?for=security"
    assert enrolled(owner)


@spec("TOT-07", "CVE-2026-3429")
def test_a_session_without_a_code_takes_nothing_away(owner: Owner, browser: Browser) -> None:
    """It was opened before the app was turned on, and was spared then."""
    other = owner.world.browser()
    other.sign_in(owner.name)
    page = other.http.get(SECURITY)
    owner.sets_up(browser)
    token = hidden(page.text, "/account/authenticator")

    removed = other.http.post("/account/authenticator/remove", data=token)
    password = other.http.post(
        "/account/password", data=token | {"password": PASSWORD, "new_password": "a" * 30}
    )
    passkey = Page(other.http).post("/account/passkeys/options", {})

    assert removed.headers["Location"] == "/sign-in?for=security"
    assert password.headers["Location"] == "/sign-in?for=security"
    assert passkey.status_code == 403
    assert 'id="confirm-it-is-me"' in other.http.get(SECURITY).text
    assert enrolled(owner)


@spec("CSR-01", "TOT-04")
@pytest.mark.parametrize(
    "path",
    [
        "/account/authenticator",
        "/account/authenticator/confirm",
        "/account/authenticator/remove",
        "/account/recovery-codes",
    ],
)
def test_nobody_elses_form_changes_it(owner: Owner, browser: Browser, path: str) -> None:
    foreign = hidden(owner.world.http().get("/sign-in").text, "/sign-in")

    answers = [browser.http.post(path, data=data) for data in ({}, foreign)]

    assert [answer.status_code for answer in answers] == [403, 403]


@spec("TOT-04", "TOT-05", "CVE-2026-37982")
def test_an_offer_to_one_person_turns_nothing_on_for_another(
    owner: Owner, browser: Browser
) -> None:
    mallory, theirs = Owner.of(owner.world), owner.world.browser()
    theirs.sign_in(mallory.name)
    bait = hidden(mallory.scans(theirs).text, "/account/authenticator/confirm")
    own = hidden(owner.scans(browser).text, "/account/authenticator/confirm")

    answer = browser.http.post(
        "/account/authenticator/confirm",
        data=own | {"setup": bait["setup"], "code": mallory.phone.code()},
    )

    assert answer.headers["Location"] == SECURITY
    assert not enrolled(owner)


@spec("V7.4.3", "design section 6")
@pytest.mark.parametrize("others", ["1", ""])
def test_turning_it_on_signs_out_elsewhere_if_one_likes(
    owner: Owner, browser: Browser, others: str
) -> None:
    elsewhere = owner.world.browser()
    elsewhere.sign_in(owner.name)

    owner.sets_up(browser, others=others)

    assert at_home(browser)
    assert at_home(elsewhere) is not bool(others)


@spec("SES-02")
def test_turning_it_on_makes_the_session_worth_more(owner: Owner, browser: Browser) -> None:
    rp, old = owner.world.rp(), browser.http.get_cookie("__Host-idp_session")

    owner.sets_up(browser)
    answer = browser.authorize(rp, acr_values="mfa", prompt="none")

    new = browser.http.get_cookie("__Host-idp_session")
    assert "code=" in answer.headers["Location"]
    assert old is not None
    assert new is not None
    assert old.value != new.value


@spec("TOT-07", "design section 6")
def test_taking_it_away_signs_out_elsewhere_and_a_password_is_enough_again(
    owner: Owner, browser: Browser
) -> None:
    owner.sets_up(browser)
    elsewhere = owner.world.browser()
    owner.signs_in(elsewhere)

    gone = browser.submit(browser.http.get(SECURITY), "/account/authenticator/remove")
    back = owner.world.browser().sign_in(owner.name)

    assert gone.headers["Location"].startswith(f"{SECURITY}?done=authenticator-removed&receipt=")
    assert not at_home(elsewhere)
    assert at_home(browser)
    assert back.headers["Location"] == "/account"
    assert "the authenticator app was removed" in lately(browser)


def test_taking_away_what_is_not_there_is_no_mistake(owner: Owner, browser: Browser) -> None:
    token = hidden(browser.http.get(SECURITY).text, "/account/authenticator")

    answers = [
        browser.http.post(path, data=token)
        for path in ("/account/authenticator/remove", "/account/recovery-codes")
    ]

    assert [answer.headers["Location"] for answer in answers] == [SECURITY, SECURITY]


@spec("TOT-07")
def test_another_phone_takes_the_place_of_the_first(owner: Owner, browser: Browser) -> None:
    owner.sets_up(browser)
    old, paper = owner.phone.key, owner.phone.paper

    owner.sets_up(browser)
    fresh = owner.world.browser()
    new, owner.phone.key = owner.phone.key, old
    refused = enter(fresh, owner.half_way(fresh), owner.phone.code())
    owner.phone.key = new
    taken = enter(fresh, owner.half_way(fresh), owner.phone.code())

    assert (refused.status_code, taken.status_code) == (400, 303)
    assert owner.phone.paper == paper
    assert "10 codes are left" in browser.http.get(SECURITY).text


@spec("TOT-05")
def test_of_two_offers_at_once_the_later_pushes_nothing_out(owner: Owner, browser: Browser) -> None:
    """Both were made while there was no app; the thief's comes second."""
    thief = owner.world.browser()
    thief.sign_in(owner.name)
    mallory = Owner(owner.world, owner.name, owner.sub, type(owner.phone)(owner.world.clock))
    bait = mallory.scans(thief)
    owner.sets_up(browser)

    answer = thief.submit(bait, "/account/authenticator/confirm", code=mallory.phone.code())

    assert answer.headers["Location"] == "/sign-in?for=security"
    assert owner.signs_in(owner.world.browser()).status_code == 303


@spec("V16.3", "TOT-04")
def test_it_is_written_down_and_told(owner: Owner, browser: Browser) -> None:
    owner.sets_up(browser)
    browser.submit(browser.http.get(SECURITY), "/account/authenticator/remove")

    names = [event.name for event in events(owner)]

    assert [name for name in names if name.startswith("Authenticator")] == [
        "AuthenticatorRemoved",
        "AuthenticatorAdded",
    ]
    assert "Authenticator app added" in lately(browser)
    assert "Authenticator app removed" in lately(browser)


def test_who_has_no_password_is_offered_no_app(
    house: World, owner: Owner, browser: Browser
) -> None:
    key = Authenticator()
    Page(browser.http).add(key)
    with house.app.app_context():
        row = house.op.accounts.find(owner.sub)
        assert row is not None
        writing(db.session)
        row.password_hash = None
        db.session.commit()

    page = browser.http.get(SECURITY)

    assert 'id="second-factor"' not in page.text


@spec("TOT-04", "design P6")
def test_what_is_kept_is_sealed(owner: Owner, browser: Browser) -> None:
    owner.sets_up(browser)

    with owner.world.app.app_context():
        row = db.session.scalars(select(Totp).where(Totp.account_id == owner.sub)).one()

    assert owner.phone.key not in row.sealed
    assert len(row.sealed) == 12 + 20 + 16
