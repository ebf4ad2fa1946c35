"""Storage is bounded (promise P7): years of sign-ins, and the tables stay as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from idp.sinks import Courier
from idp.store import Base, db
from tests.support.device import DEVICE_CODE, Tv, answers
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world

PEOPLE = [f"person{number}" for number in range(3)]
APP = {
    "trusted": False,
    "grant_types": ["authorization_code", "refresh_token", DEVICE_CODE],
}


@pytest.fixture
def years(tmp_path: Path) -> Iterator[World]:
    """A provider at which four people sign in every week."""
    made = make_world(tmp_path)
    for name in PEOPLE:
        made.person(name)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def week(world: World, rp: Rp) -> None:
    """What happens in a week: sign-ins, renewals, copies, withdrawals, strangers."""
    stranger = registered(world)
    registered(world)
    for name in PEOPLE:
        browser = world.browser()
        browser.sign_in(name, "wrong")
        browser.sign_in(name)
        answers(browser, Tv(rp).asks().code)
        Tv(rp).asks()
        first = browser.tokens(rp, scope="openid offline_access", prompt="consent")
        second = rp.refresh(first["refresh_token"]).json
        browser.authorize(rp, prompt="login")
        given = browser.tokens(stranger)
        stranger.post("/revoke", token=given["access_token"])
        if name == PEOPLE[0]:
            rp.refresh(first["refresh_token"])
        if name == PEOPLE[1]:
            page = browser.http.get("/account/apps")
            browser.submit(page, "/account/apps/remove", client=rp.client_id)
        if name == PEOPLE[2]:
            page = browser.http.get("/account/sessions")
            browser.submit(page, "/account/sessions/end", what="everywhere")
        assert second["access_token"]
    world.clock.advance(days=7)
    keep_up(world)


def registered(world: World) -> Rp:
    wish = {"redirect_uris": [CALLBACK], "client_name": "Stranger"}
    said = world.http().post("/register", json=wish).json
    return Rp(world, said["client_id"], said["client_secret"])


def keep_up(world: World) -> None:
    courier: Courier = world.app.extensions["idp.courier"]
    with world.app.app_context():
        while courier.keep_up():
            pass


def sizes(world: World) -> dict[str, int]:
    with world.app.app_context():
        return {
            table.name: db.session.scalars(select(func.count()).select_from(table)).one()
            for table in Base.metadata.sorted_tables
        }


@spec("P7", "DCR-08", "F-19")
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_after_a_year_the_tables_grow_no_more(years: World) -> None:
    rp = years.rp(**APP)

    for _ in range(56):  # events, the last to go, are kept for a year
        week(years, rp)
    then = sizes(years)
    for _ in range(16):
        week(years, rp)

    later = sizes(years)
    assert {name: (then[name], later[name]) for name in then if later[name] > then[name] + 2} == {}
    assert later["account"] == len(PEOPLE)


@spec("P7")
def test_when_nobody_comes_any_more_nearly_nothing_is_left(years: World) -> None:
    rp = years.rp(**APP)
    for _ in range(2):
        week(years, rp)
    years.clock.advance(days=400)

    keep_up(years)
    keep_up(years)  # what went ended something else

    left = sizes(years)
    kept = {"account", "client", "client_secret", "signing_key", "grant"}
    kept |= {
        "receipt",
        "receipt_line",
        "event",
        "ended",
        "feed_head",
        "forgotten",
    }  # of the sessions that ended just now
    assert {name for name, count in left.items() if count} <= kept
    assert left["client"] == 1
    assert left["grant"] <= len(PEOPLE)


@spec("P7")
def test_upkeep_says_when_there_is_more_to_do(years: World) -> None:
    for number in range(450):
        with years.app.app_context():
            years.op.events.record("SignInFailed", years.clock.now, address=str(number))
            db.session.commit()
    years.clock.advance(days=366)
    courier: Courier = years.app.extensions["idp.courier"]

    with years.app.app_context():
        more = [courier.keep_up() for _ in range(3)]

    assert more == [True, True, False]
    assert sizes(years)["event"] == 0
