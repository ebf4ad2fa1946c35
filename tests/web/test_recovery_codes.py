"""Codes on paper: what they open, once, and what is told of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from idp.store import db, writing
from idp.store.people import RecoveryCode
from tests.support.phone import Owner, at_home, enter, house_of, lately, on_paper
from tests.support.spec import spec
from tests.support.world import Browser, World

SECURITY = "/account/security"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with house_of(tmp_path_factory.mktemp("paper")) as made:
        yield made


@pytest.fixture
def owner(house: World) -> Owner:
    return Owner.enrolled(house)


@pytest.fixture
def browser(owner: Owner) -> Browser:
    """A browser of theirs, in which nobody is signed in yet."""
    return owner.world.browser()


def renew(owner: Owner, browser: Browser) -> None:
    """Signed in with the app, and other codes made."""
    owner.signs_in(browser)
    page = browser.submit(browser.http.get(SECURITY), "/account/recovery-codes")
    owner.phone.write_down(page.text)


@spec("TOT-06", "V6.5.2")
def test_there_are_ten_and_nobody_can_guess_one(owner: Owner) -> None:
    letters = [code.replace("-", "") for code in owner.phone.paper]

    assert len(set(letters)) == 10
    assert all(len(code) * 5 >= 112 for code in letters)
    assert set("".join(letters)) <= set("0123456789abcdefghjkmnpqrstvwxyz")


@spec("TOT-06", "design P3", "V6.5.1")
def test_each_lets_its_owner_in_once(owner: Owner, browser: Browser) -> None:
    code = owner.phone.paper[3]

    first = on_paper(browser, owner.half_way(browser), code)
    other = owner.world.browser()
    again = on_paper(other, owner.half_way(other), code)

    assert (first.status_code, again.status_code) == (303, 400)
    assert at_home(browser)
    assert not at_home(other)


@pytest.mark.parametrize("spelled", ["upper", "spaces", "misread", "no hyphens"])
def test_it_may_be_typed_as_people_type(owner: Owner, browser: Browser, spelled: str) -> None:
    code = owner.phone.paper[0]
    typed = {
        "upper": code.upper(),
        "spaces": f"  {code.replace('-', ' ')} ",
        "misread": code.replace("0", "O").replace("1", "l"),
        "no hyphens": code.replace("-", ""),
    }[spelled]

    answer = on_paper(browser, owner.half_way(browser), typed)

    assert answer.status_code == 303


def test_each_has_a_field_of_its_own(owner: Owner, browser: Browser) -> None:
    page = owner.half_way(browser)

    paper = enter(browser, page, owner.phone.paper[0])
    app = on_paper(browser, page, owner.phone.code())

    assert (paper.status_code, app.status_code) == (400, 400)


@spec("TOT-06", "TOT-05", "design P6")
def test_a_row_given_to_another_person_lets_nobody_in(owner: Owner, browser: Browser) -> None:
    mallory = Owner.enrolled(owner.world)
    with owner.world.app.app_context():
        writing(db.session)
        theirs = update(RecoveryCode).where(RecoveryCode.account_id == mallory.sub)
        db.session.execute(theirs.values(account_id=owner.sub))
        db.session.commit()

    answer = on_paper(browser, owner.half_way(browser), mallory.phone.paper[0])

    assert answer.status_code == 400


@spec("TOT-06", "V6.3.7")
def test_its_use_is_told_to_its_owner(owner: Owner, browser: Browser) -> None:
    on_paper(browser, owner.half_way(browser), owner.phone.paper[0])
    security = browser.http.get(SECURITY).text

    assert "A recovery code was used to sign in 127.0.0.1" in lately(browser)
    assert "9 codes are left" in security
    assert "The last one was used" in security


@spec("TOT-06")
def test_other_codes_make_the_old_ones_worthless(owner: Owner, browser: Browser) -> None:
    old = owner.phone.paper
    renew(owner, browser)
    fresh = owner.world.browser()
    page = owner.half_way(fresh)

    refused = on_paper(fresh, page, old[0])
    taken = on_paper(fresh, page, owner.phone.paper[0])

    assert not set(old) & set(owner.phone.paper)
    assert (refused.status_code, taken.status_code) == (400, 303)
    assert "New recovery codes made" in lately(browser)


@spec("TOT-06")
def test_they_are_shown_once(owner: Owner, browser: Browser) -> None:
    renew(owner, browser)

    pages = [browser.http.get(path).text for path in (SECURITY, "/account")]

    assert not any(code in page for code in owner.phone.paper for page in pages)
    assert "10 codes are left" in pages[0]


def test_they_can_be_kept_without_javascript(owner: Owner, browser: Browser) -> None:
    owner.signs_in(browser)

    page = browser.submit(browser.http.get(SECURITY), "/account/recovery-codes").text
    owner.phone.write_down(page)

    (file,) = [part for part in page.split('"') if part.startswith("data:text/plain")]
    assert all(code in file for code in owner.phone.paper)
    assert 'download="idp-recovery-codes.txt"' in page


@spec("TOT-06", "TOT-07")
def test_they_go_with_the_app(owner: Owner, browser: Browser) -> None:
    owner.signs_in(browser)
    browser.submit(browser.http.get(SECURITY), "/account/authenticator/remove")
    old = owner.phone.paper

    owner.sets_up(browser)
    fresh = owner.world.browser()
    answer = on_paper(fresh, owner.half_way(fresh), old[0])

    assert answer.status_code == 400


def test_who_has_none_left_is_offered_none(owner: Owner) -> None:
    for code in owner.phone.paper:
        browser = owner.world.browser()
        on_paper(browser, owner.half_way(browser), code)

    page = owner.half_way(owner.world.browser())

    assert 'id="way-recovery"' not in page.text
    assert "No phone? Ask whoever runs idp." in page.text


@spec("RFC 8176 section 2", "RFC 4949")
def test_it_is_worth_as_much_as_a_code_from_the_app(owner: Owner, browser: Browser) -> None:
    on_paper(browser, owner.half_way(browser), owner.phone.paper[0])

    answer = browser.authorize(owner.world.rp(), acr_values="mfa", prompt="none")

    assert "code=" in answer.headers["Location"]
