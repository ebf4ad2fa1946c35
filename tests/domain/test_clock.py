"""A clock that jumps: what is over stays over, what was used stays used, and work goes on."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import DateTime, inspect

from idp.crypto import jose
from idp.domain import upkeep
from idp.domain.throttle import Throttled
from idp.store import Base, db
from idp.store.system import Fact
from tests.support.canary import canary
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

JUMPS = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=-1), timedelta(hours=23)]
jumps = pytest.mark.parametrize("jump", JUMPS, ids=str)


def background_work(world: World) -> None:
    """What the worker does by itself, more than once."""
    with world.app.app_context():
        for _ in range(3):
            upkeep.end_overdue_sessions(world.op, world.clock.now)
            db.session.commit()
            upkeep.sweep(world.op, world.clock.now)
            db.session.commit()


def jumps_and_is_set_right(world: World, jump: timedelta) -> None:
    world.clock.now += jump
    background_work(world)
    world.clock.now -= jump
    world.clock.advance(seconds=5)


@spec("CLK-02")
@jumps
@spec("F-09")
def test_a_code_that_was_used_stays_used(world: World, alice: str, rp: Rp, jump: timedelta) -> None:
    browser = world.browser()
    code = browser.code(rp)
    rp.redeem(code, browser.verifier)

    jumps_and_is_set_right(world, jump)

    assert rp.redeem(code, browser.verifier).json["error"] == "invalid_grant"


@spec("CLK-02", "RFT-05", "CVE-2026-9802")
@jumps
def test_a_refresh_token_that_was_used_stays_used(
    world: World, alice: str, rp: Rp, jump: timedelta
) -> None:
    first = world.browser().tokens(rp)["refresh_token"]
    rp.refresh(first)

    jumps_and_is_set_right(world, jump)

    assert rp.refresh(first).json["error"] == "invalid_grant"


@spec("CLK-02")
@jumps
def test_an_access_token_that_was_taken_back_stays_taken_back(
    world: World, jump: timedelta
) -> None:
    world.api("https://notes.test", **{"notes:read": "Read"})
    robot = world.machine(grant_types=["client_credentials"], response_types=[])
    given = robot.post("/token", grant_type="client_credentials", scope="notes:read").json
    robot.post("/revoke", token=given["access_token"])

    jumps_and_is_set_right(world, jump)

    assert robot.introspect(given["access_token"]) == {"active": False}


@spec("CLK-02", "SES-04")
def test_a_session_that_was_over_does_not_come_back(world: World, alice: str, rp: Rp) -> None:
    browser = world.browser()
    tokens = browser.tokens(rp)
    world.clock.advance(hours=13)
    background_work(world)

    world.clock.advance(hours=-12)

    assert rp.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert browser.http.get("/account").status_code != 200


@spec("CLK-02")
def test_what_expired_is_over_again_once_the_clock_is_right(
    world: World, alice: str, rp: Rp
) -> None:
    token = world.browser().tokens(rp)["access_token"]
    world.clock.advance(minutes=10)
    before = world.userinfo(token).status_code
    world.clock.advance(minutes=-8)
    world.userinfo(token)

    world.clock.advance(minutes=8)

    assert before == world.userinfo(token).status_code == 401


@spec("CLK-02", "PWD-08")
@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
def test_a_pause_does_not_grow_because_the_clock_was_set_back(
    world: World, back: timedelta
) -> None:
    throttle = world.op.throttle
    with world.app.app_context():
        for _ in range(9):
            throttle.count("account", "alice", world.clock.now)
        throttle.count("account", "alice", world.clock.now)
        with pytest.raises(Throttled):
            throttle.count("account", "alice", world.clock.now)

        throttle.count("account", "alice", world.clock.now - back)


@spec("CLK-02", "BCL-04")
@pytest.mark.parametrize("back", [timedelta(hours=2), timedelta(days=1)])
@spec("F-09")
def test_notices_do_not_wait_for_a_clock_that_was_set_back(tmp_path: Path, back: timedelta) -> None:
    with canary() as app:
        world = make_world(tmp_path, IDP_OUTBOUND__ALLOWED=app.place, IDP_ISSUER="http://localhost")
        world.person()
        browser = world.browser()
        browser.tokens(world.rp(backchannel_logout_uri=app.url))
        browser.submit(browser.http.get("/end_session"), "/end_session/confirm")
        with world.app.app_context():
            world.op.sign_outs.deliveries.lease(world.clock.now, 10)
            db.session.commit()

        world.clock.now -= back
        with world.app.app_context():
            world.app.extensions["idp.courier"].run_once()
            db.session.remove()
            db.engine.dispose()

    assert [said.partition(b" ")[0] for said in app.heard] == [b"POST"]


@spec("CLK-02")
def test_upkeep_goes_on_after_the_clock_was_set_back(world: World, alice: str, rp: Rp) -> None:
    world.browser().tokens(rp)
    courier, stop = world.app.extensions["idp.courier"], threading.Event()

    def works() -> None:
        with world.app.app_context():
            courier.run(stop)

    thread = threading.Thread(target=works)
    thread.start()
    time.sleep(0.5)
    with world.app.app_context():
        long_over = world.clock.now - timedelta(days=2)
        assert world.op.tokens.seen_once("x", "y", long_over, world.clock.now)
        db.session.commit()
    still_there = not forgotten(world)
    world.clock.advance(days=-1)

    ends = time.monotonic() + 10
    while time.monotonic() < ends and not forgotten(world):
        world.clock.advance(seconds=1)  # what one round says, the next does
        time.sleep(0.1)
    stop.set()
    thread.join()

    assert still_there
    assert forgotten(world)


def forgotten(world: World) -> bool:
    """Whether upkeep has forgotten the one thing that is over."""
    with world.app.app_context():
        rows = db.session.scalars(db.select(Fact.key).where(Fact.key.startswith("x:"))).all()
        db.session.rollback()
        return not rows


@spec("CLK-03")
@pytest.mark.parametrize("years", [-3, 10])
def test_every_moment_that_is_kept_comes_from_the_one_clock(
    tmp_path: Path, either: World, years: int
) -> None:
    either.clock.advance(days=365 * years)
    either.person()
    either.rp(backchannel_logout_uri="https://rp.test/out")
    begun = either.clock.now
    browser = either.browser()
    rp = either.rp()
    tokens = browser.tokens(rp)
    rp.refresh(tokens["refresh_token"])
    browser.submit(browser.http.get("/end_session"), "/end_session/confirm")

    latest = begun + timedelta(days=100)
    with either.app.app_context():
        moments = [
            (table.name, column.name, moment)
            for table in Base.metadata.sorted_tables
            if table.name != "signing_key"  # made when the world was
            for column in table.columns
            if isinstance(getattr(column.type, "impl", None), DateTime)
            for moment in db.session.scalars(db.select(column).where(column.is_not(None)))
        ]
        defaults = [
            column["name"]
            for table in inspect(db.engine).get_table_names()
            for column in inspect(db.engine).get_columns(table)
            if "time" in str(column["default"] or "").lower() or "now" in str(column["default"])
        ]

    assert len(moments) > 20
    assert [m for m in moments if not begun <= m[2] <= latest] == []
    assert defaults == []


@spec("CLK-01")
def test_a_minute_is_the_most_by_which_clocks_may_differ() -> None:
    from client_demo import op

    assert timedelta(minutes=1) == jose.SKEW
    assert op.SKEW <= 60
