"""Attacks on the second half of a sign-in, by somebody who knows the password."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete, select, update

from idp.domain.login.totp import DIGITS, DRIFT
from idp.domain.throttle import LIMITS, Limit, pause
from idp.store import db, writing
from idp.store.people import Totp
from tests.support.phone import Owner, at_home, enter, house_of, lately, on_paper
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World, hidden, returned

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with house_of(tmp_path_factory.mktemp("attacked")) as made:
        yield made


@pytest.fixture(scope="module")
def app(house: World) -> Rp:
    return house.rp()


@pytest.fixture
def owner(house: World) -> Owner:
    return Owner.enrolled(house)


@pytest.fixture
def thief(house: World) -> Browser:
    return house.browser()


@spec("TOT-01", "RFC 6238 section 5.2", "V6.5.1", "design P3")
def test_a_code_seen_over_the_shoulder_is_worth_nothing(owner: Owner, thief: Browser) -> None:
    browser, code = owner.world.browser(), owner.phone.code()
    mine, theirs = owner.half_way(browser), owner.half_way(thief)
    first = enter(browser, mine, code)

    again = enter(browser, mine, code)
    elsewhere = enter(thief, theirs, code)

    assert (first.status_code, again.status_code, elsewhere.status_code) == (303, 400, 400)
    assert not at_home(thief)


@spec("TOT-01", "RFC 6238 section 5.2")
def test_a_code_older_than_one_that_was_used_is_worth_nothing(owner: Owner, thief: Browser) -> None:
    owner.world.clock.advance(minutes=2)
    before = owner.phone.code()
    owner.world.clock.advance(seconds=30)
    owner.signs_in(owner.world.browser())

    answer = enter(thief, owner.half_way(thief), before)

    assert answer.status_code == 400


@spec("TOT-01", "TOT-04")
def test_the_code_that_turned_it_on_signs_nobody_in(house: World, thief: Browser) -> None:
    owner, browser = Owner.of(house), house.browser()
    browser.sign_in(owner.name)
    owner.sets_up(browser)

    answer = enter(thief, owner.half_way(thief), owner.phone.code(steps=-1))

    assert answer.status_code == 400


@spec("TOT-05", "CVE-2025-64103")
def test_the_step_cannot_be_left_out(owner: Owner, thief: Browser, app: Rp) -> None:
    asked = thief.authorize(app).headers["Location"]
    tx = re.findall(r"tx=([^&]+)", asked)[0]
    page = thief.http.get(asked)
    thief.submit(page, "/sign-in", username=owner.name, password="four words that nobody guesses")

    back = thief.http.get(f"/authorize/continue?tx={tx}")
    consent = thief.http.get(f"/consent?tx={tx}")
    account = thief.http.get("/account/security")

    for answer in (back, consent):
        assert answer.headers["Location"].startswith("/sign-in?")
    assert account.headers["Location"] == "/sign-in?for=security"
    assert thief.http.get_cookie("__Host-idp_session") is None
    assert thief.http.get_cookie("idp_device") is None


@spec("TOT-05", "RED-18", "CVE-2026-9091")
def test_another_browser_cannot_go_on_with_half_a_sign_in(owner: Owner, thief: Browser) -> None:
    browser = owner.world.browser()
    page = owner.half_way(browser)
    form = hidden(page.text, "/sign-in/code")
    own = hidden(thief.http.get("/sign-in").text, "/sign-in")["csrf_token"]

    answer = thief.http.post(
        "/sign-in/code", data=form | {"csrf_token": own, "code": owner.phone.code()}
    )

    assert answer.status_code == 400
    assert "This sign-in is over" in answer.text
    assert enter(browser, page, owner.phone.code()).status_code == 303  # nothing was used up


@spec("TOT-05", "TOT-01")
def test_half_a_sign_in_is_finished_once(owner: Owner, thief: Browser) -> None:
    page = owner.half_way(thief)
    enter(thief, page, owner.phone.code())
    owner.world.clock.advance(seconds=30)

    again = enter(thief, page, owner.phone.code())

    assert again.status_code == 400
    assert "This sign-in is over" in again.text


@spec("TOT-05", "CVE-2025-46815")
def test_the_code_of_one_person_does_not_finish_the_sign_in_of_another(
    owner: Owner, thief: Browser
) -> None:
    mallory = Owner.enrolled(owner.world)
    page = owner.half_way(thief)

    answer = enter(thief, page, mallory.phone.code())
    paper = on_paper(thief, page, mallory.phone.paper[0])

    assert (answer.status_code, paper.status_code) == (400, 400)
    assert not at_home(thief)


@spec("TOT-05")
def test_half_a_sign_in_ends_with_the_password_it_began_with(owner: Owner, thief: Browser) -> None:
    page, op = owner.half_way(thief), owner.world.op
    with owner.world.app.app_context():
        row = op.accounts.find(owner.sub)
        assert row is not None
        op.accounts.set_password(row, "quite another phrase of words", owner.world.clock.now)
        db.session.commit()

    answer = enter(thief, page, owner.phone.code())

    assert "This sign-in is over" in answer.text


@spec("SES-02", "TOT-05")
def test_the_cookie_changes_with_every_proof(owner: Owner) -> None:
    browser = owner.world.browser()

    def cookie() -> str:
        found = browser.http.get_cookie("__Host-idp_session")
        return found.value if found is not None else ""

    seen = [cookie()]
    page = owner.half_way(browser)
    seen.append(cookie())
    enter(browser, page, owner.phone.code())
    seen.append(cookie())
    owner.world.clock.advance(seconds=30)
    owner.signs_in(browser)
    seen.append(cookie())

    assert seen[:2] == ["", ""]
    assert len(set(seen)) == 3
    browser.http.set_cookie("__Host-idp_session", seen[2])
    assert not at_home(browser)


@spec("TOT-03", "PWD-09", "CVE-2025-64102", "CVE-2024-32868")
def test_after_five_wrong_codes_each_waits_longer_than_the_one_before(
    owner: Owner, thief: Browser
) -> None:
    page = owner.half_way(thief)
    tries, clock = 0, owner.world.clock
    waits: list[int] = []
    for _ in range(5):
        tries += enter(thief, page, owner.phone.wrong()).status_code == 400

    for _ in range(4):  # each time in a sign-in of its own, and from another network
        fresh = owner.world.browser()
        page = owner.half_way(fresh)
        fresh.http.environ_base["REMOTE_ADDR"] = f"192.0.2.{len(waits) + 1}"
        barred = enter(fresh, page, owner.phone.code())
        waits.append(int(barred.headers["Retry-After"]))
        assert barred.status_code == 429
        clock.advance(seconds=waits[-1])
        assert enter(fresh, page, owner.phone.wrong()).status_code == 400

    assert tries == 5
    assert all(later >= 1.9 * sooner for sooner, later in pairwise(waits))


@spec("TOT-03", "PWD-09")
def test_recovery_codes_are_guessed_from_the_same_allowance(owner: Owner, thief: Browser) -> None:
    page = owner.half_way(thief)

    said = [on_paper(thief, page, "0" * 24).status_code for _ in range(6)]

    assert said == [400] * 5 + [429]


@spec("PWD-08", "V6.1.1")
def test_a_thief_who_guesses_does_not_keep_the_owner_out(owner: Owner, thief: Browser) -> None:
    known = owner.world.browser()
    owner.signs_in(known)
    known.http.delete_cookie("__Host-idp_session")
    owner.world.clock.advance(seconds=30)
    page = owner.half_way(thief)
    guesses = [enter(thief, page, owner.phone.wrong()).status_code for _ in range(6)]

    answer = owner.signs_in(known)

    assert guesses[-1] == 429
    assert answer.status_code == 303


@spec("TOT-03")
def test_guessing_all_day_hardly_ever_helps() -> None:
    """In the worst case the thief also has the mark of a browser that is known here."""

    def tries_in_a_day(limit: Limit) -> int:
        made, passed = limit.tries - 1, timedelta(0)
        while passed < DAY:
            made += 1
            passed += pause(made - limit.tries + 1, limit)
        return made

    kinds = ("second_factor", "second_factor_here")
    tries = sum(tries_in_a_day(LIMITS[kind]) for kind in kinds)

    assert all(LIMITS[kind].tries <= 5 for kind in kinds)
    assert all(LIMITS[kind].within >= DAY for kind in kinds)
    assert tries * len(DRIFT) / 10**DIGITS < 1e-3


@spec("V6.3.5", "TOT-03")
def test_the_owner_reads_that_somebody_knew_the_password(owner: Owner, thief: Browser) -> None:
    enter(thief, owner.half_way(thief), owner.phone.wrong())
    browser = owner.world.browser()
    owner.signs_in(browser)

    assert "Right password, but a wrong code" in lately(browser)


@spec("TOT-04", "design P6")
def test_a_secret_moved_to_another_person_opens_nothing(owner: Owner, thief: Browser) -> None:
    mallory = Owner.enrolled(owner.world)
    with owner.world.app.app_context():
        writing(db.session)
        sealed = db.session.scalars(select(Totp.sealed).where(Totp.account_id == mallory.sub)).one()
        moved = update(Totp).where(Totp.account_id == owner.sub).values(sealed=sealed)
        db.session.execute(moved)
        db.session.commit()

    answer = enter(thief, owner.half_way(thief), mallory.phone.code())

    assert answer.status_code == 400


@spec("TOT-04", "design P6")
def test_a_whole_row_given_to_another_person_opens_nothing(owner: Owner, thief: Browser) -> None:
    mallory = Owner.enrolled(owner.world)
    with owner.world.app.app_context():
        writing(db.session)
        db.session.execute(delete(Totp).where(Totp.account_id == owner.sub))
        taken = update(Totp).where(Totp.account_id == mallory.sub).values(account_id=owner.sub)
        db.session.execute(taken)
        db.session.commit()

    answer = enter(thief, owner.half_way(thief), mallory.phone.code())

    assert answer.status_code == 400


@spec("LOG-01", "TOT-04")
def test_neither_secret_nor_code_is_logged(
    house: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        owner = Owner.enrolled(house)
        browser = house.browser()
        page = owner.half_way(browser)
        wrong = owner.phone.wrong()
        enter(browser, page, wrong)
        on_paper(browser, page, owner.phone.paper[0])
    written = capsys.readouterr()

    said = caplog.text + written.out + written.err
    for secret in (owner.phone.key.hex(), wrong, *owner.phone.paper):
        assert secret not in said


@spec("TOT-05", "RFC 9470 section 5")
def test_an_essential_code_cannot_be_talked_down(owner: Owner, thief: Browser, app: Rp) -> None:
    essential = '{"id_token":{"acr":{"essential":true,"values":["phr"]}}}'

    given = owner.goes_on(thief, thief.authorize(app, claims=essential))

    assert given["error"] == "unmet_authentication_requirements"
    assert "code" not in returned(thief.authorize(app, claims=essential, prompt="none"))
