"""Signing in with a password and a code: who is asked, what is asked, and what it is worth."""

import json
from collections.abc import Iterator

import pytest

from tests.protocol.test_token import claims
from tests.support.phone import Owner, at_home, enter, house_of
from tests.support.spec import spec
from tests.support.world import Rp, World, returned

ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "values": ["mfa"]}}})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with house_of(tmp_path_factory.mktemp("second")) as made:
        yield made


@pytest.fixture(scope="module")
def app(house: World) -> Rp:
    return house.rp()


@pytest.fixture
def owner(house: World) -> Owner:
    return Owner.enrolled(house)


@spec("TOT-05", "V6.3.3")
def test_a_password_alone_opens_nothing_where_a_code_is_asked(house: World, owner: Owner) -> None:
    browser = house.browser()

    page = owner.half_way(browser)
    half = at_home(browser)
    answer = enter(browser, page, owner.phone.code())

    assert not half
    assert answer.headers["Location"] == "/account"
    assert at_home(browser)


@spec("RFC 8176 section 2")
def test_both_proofs_are_named_and_worth_more_than_one(owner: Owner, app: Rp) -> None:
    browser = owner.world.browser()

    given = owner.goes_on(browser, browser.authorize(app))
    said = claims(app.redeem(given["code"], browser.verifier).json["id_token"])

    assert (said["acr"], said["amr"]) == ("mfa", ["pwd", "otp", "mfa"])


@spec("RFC 6238 section 5.2", "TOT-02", "V6.5.5", "V6.5.8")
@pytest.mark.parametrize(
    ("steps", "status"), [(-3, 400), (-2, 400), (-1, 303), (0, 303), (1, 303), (2, 400), (3, 400)]
)
def test_a_phone_may_be_half_a_minute_off_and_no_more(
    owner: Owner, steps: int, status: int
) -> None:
    owner.world.clock.advance(minutes=5)
    browser = owner.world.browser()

    answer = enter(browser, owner.half_way(browser), owner.phone.code(steps=steps))

    assert answer.status_code == status


def test_a_code_may_be_typed_with_a_space_in_it(owner: Owner) -> None:
    browser, code = owner.world.browser(), owner.phone.code()

    answer = enter(browser, owner.half_way(browser), f" {code[:3]} {code[3:]}\t")

    assert answer.status_code == 303


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "9" * 5000])
def test_what_is_no_code_is_a_wrong_one(owner: Owner, typed: str) -> None:
    browser = owner.world.browser()

    answer = enter(browser, owner.half_way(browser), typed)

    assert answer.status_code == 400
    assert "That code is wrong" in answer.text


@spec("RFC 9470 section 5", "STP-01")
@pytest.mark.parametrize("asked", [{"acr_values": "mfa"}, {"claims": ESSENTIAL}])
def test_an_app_that_wants_more_gets_the_page_for_the_code_and_only_that(
    house: World, app: Rp, asked: dict[str, str]
) -> None:
    owner, browser = Owner.of(house), house.browser()
    browser.sign_in(owner.name)
    other = house.browser()
    other.sign_in(owner.name)
    owner.sets_up(other)
    began, old = house.clock.now, browser.http.get_cookie("__Host-idp_session")

    page = browser.authorize(app, **asked)
    given = owner.goes_on(browser, page)
    said = claims(app.redeem(given["code"], browser.verifier).json["id_token"])

    new = browser.http.get_cookie("__Host-idp_session")
    assert page.headers["Location"].startswith("/sign-in/code?tx=")
    assert (said["acr"], said["amr"]) == ("mfa", ["pwd", "otp", "mfa"])
    assert said["auth_time"] < began.timestamp()  # the code alone is no fresh sign-in
    assert old is not None
    assert new is not None
    assert old.value != new.value


@spec("RFC 9470 section 5", "STP-01")
def test_a_session_that_has_shown_a_code_is_not_asked_again(owner: Owner, app: Rp) -> None:
    browser = owner.world.browser()
    owner.signs_in(browser)

    quiet = browser.authorize(app, acr_values="mfa", prompt="none")
    essential = browser.authorize(app, claims=ESSENTIAL)

    assert returned(quiet)["code"]
    assert returned(essential)["code"]


@spec("RFC 9470 section 5", "STP-01")
def test_what_would_be_asked_is_an_error_for_who_asks_silently(house: World, app: Rp) -> None:
    owner, browser = Owner.of(house), house.browser()
    browser.sign_in(owner.name)
    other = house.browser()
    other.sign_in(owner.name)
    owner.sets_up(other)

    answer = browser.authorize(app, acr_values="mfa", prompt="none")

    assert returned(answer)["error"] == "login_required"


@spec("STP-02", "RFC 9470 section 5")
def test_who_has_no_app_does_not_reach_what_needs_one(house: World, app: Rp) -> None:
    owner, browser = Owner.of(house), house.browser()

    wished = owner.goes_on(browser, browser.authorize(app, acr_values="mfa"))
    needed = owner.goes_on(browser, browser.authorize(app, claims=ESSENTIAL))

    assert wished["code"]
    assert needed["error"] == "unmet_authentication_requirements"


@spec("OpenID Connect Core section 3.1.2.1", "STP-01")
def test_a_sign_in_that_must_be_fresh_asks_for_both(owner: Owner, app: Rp) -> None:
    browser = owner.world.browser()
    owner.signs_in(browser)
    owner.world.clock.advance(minutes=3)

    page = browser.authorize(app, max_age="60", acr_values="mfa")
    given = owner.goes_on(browser, page)
    said = claims(app.redeem(given["code"], browser.verifier).json["id_token"])

    assert page.headers["Location"].startswith("/sign-in?")
    assert said["auth_time"] == int(owner.world.clock.now.timestamp())
    assert said["acr"] == "mfa"


@spec("PWD-08", "V6.1.1")
def test_a_lost_half_is_found_again_by_starting_over(owner: Owner) -> None:
    browser = owner.world.browser()
    page = owner.half_way(browser)
    owner.world.clock.advance(minutes=11)

    late = enter(browser, page, owner.phone.code())

    assert late.status_code == 400
    assert "This sign-in is over" in late.text
    assert owner.signs_in(browser).status_code == 303
