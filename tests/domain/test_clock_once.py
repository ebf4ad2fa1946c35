"""A clock that jumps forth, so that what was seen once is forgotten, and is set right again: what
was seen counts as seen (RFC 9449 section 11.1, CLK-02).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.store import db
from idp.store.system import Fact, Forgotten
from tests.domain.test_clock import background_work
from tests.support.holder import Holder
from tests.support.services import Redis
from tests.support.spec import spec
from tests.support.world import World, make_world

FORTH = [timedelta(hours=1), timedelta(days=1), timedelta(days=3)]
forth = pytest.mark.parametrize("jump", FORTH, ids=str)


@pytest.fixture(params=["sqlite", "postgresql", "postgresql and redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The provider on each of its stores."""
    url = request.getfixturevalue("postgres").fresh() if request.param != "sqlite" else ""
    more: dict[str, str] = {}
    if request.param.endswith("redis"):
        server: Redis = request.getfixturevalue("redis")
        more = {"IDP_REDIS_URL": server.url}
    made = make_world(tmp_path, url, **more)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def robot_of(world: World) -> Holder:
    return Holder.of(world.machine(grant_types=["client_credentials"]))


def asks(robot: Holder, proof: str) -> int:
    return robot.post("/token", grant_type="client_credentials", proof=proof).status_code


def seen(world: World, namespace: str = "dpop") -> int:
    """How many values of a kind are remembered."""
    with world.app.app_context():
        ours = db.select(db.func.count()).where(Fact.key.startswith(f"{namespace}:"))
        found = db.session.scalars(ours).one()
        db.session.rollback()
        return int(found)


def forgets(world: World, jump: timedelta) -> None:
    """The clock jumps, and upkeep runs."""
    world.clock.now += jump
    background_work(world)
    assert seen(world) == 0


@spec("CLK-02", "DPO-05", "RFC 9449 section 11.1")
@forth
def test_a_proof_that_was_forgotten_too_early_is_not_heard_again(
    shared: World, jump: timedelta
) -> None:
    robot = robot_of(shared)
    proof = robot.proof()
    assert asks(robot, proof) == 200

    forgets(shared, jump)
    shared.clock.now -= jump
    shared.clock.advance(seconds=5)

    assert asks(robot, proof) == 400
    assert asks(robot, robot.proof()) == 200, "who is honest goes on"


@spec("CLK-02", "DPO-05", "P5")
def test_what_a_clock_that_is_behind_could_hear_twice_is_refused(world: World) -> None:
    robot = robot_of(world)
    proof = robot.proof()
    asks(robot, proof)
    world.clock.advance(minutes=30)
    later = robot.proof()
    asks(robot, later)
    forgets(world, timedelta(minutes=30))

    for minutes, old in ((-30, later), (-30, proof)):
        world.clock.advance(minutes=minutes)

        assert asks(robot, old) == 400


@spec("CLK-02", "DPO-05", "DPO-10", "RFC 9449 section 8")
@pytest.mark.parametrize("back", [timedelta(minutes=3), timedelta(minutes=5)])
def test_a_nonce_that_is_good_again_makes_no_proof_new(world: World, back: timedelta) -> None:
    world.clock.now = world.clock.now.replace(minute=0, second=0) + timedelta(hours=1)
    robot = robot_of(world)
    robot.nonce = world.op.keys.nonces.fresh(world.clock.now)
    proof = robot.proof(iat=1)
    assert asks(robot, proof) == 200

    forgets(world, timedelta(minutes=6))
    world.clock.now -= back

    assert asks(robot, proof) == 400


@spec("DPO-04", "DPO-05", "DPO-10", "RFC 9449 section 4.3")
def test_a_clock_that_is_ahead_makes_no_proof_good_twice(world: World) -> None:
    robot = robot_of(world)
    robot.nonce = world.op.keys.nonces.fresh(world.clock.now)
    ahead = int((world.clock.now + timedelta(hours=1)).timestamp())
    proof = robot.proof(iat=ahead)
    assert asks(robot, proof) == 200

    forgets(world, timedelta(hours=1))

    assert asks(robot, proof) == 400


@spec("CLK-02", "JWA-02", "JWA-06")
@forth
def test_a_word_that_was_forgotten_too_early_does_not_count_again(
    either: World, jump: timedelta
) -> None:
    def counts() -> bool:
        with either.app.app_context():
            first = either.op.tokens.seen_once("assertion", "a", until, either.clock.now)
            db.session.commit()
        return first

    until = either.clock.now + timedelta(minutes=5)
    assert counts()

    forgets(either, jump)
    assert seen(either, "assertion") == 0
    either.clock.now -= jump

    assert not counts()


@spec("P7")
def test_what_is_known_to_be_forgotten_takes_no_room(either: World) -> None:
    begun = datetime(2030, 1, 1, tzinfo=UTC)
    for number in range(60):
        with either.app.app_context():
            at = begun + number * timedelta(hours=1)
            either.op.tokens.seen_once("x", str(number), at, at)
            either.op.tokens.seen_once("y", str(number), at + timedelta(seconds=1), at)
            db.session.commit()
            either.op.tokens.sweep(at, 200)
            db.session.commit()

    with either.app.app_context():
        rows = db.session.scalars(db.select(Forgotten)).all()
        kinds = [row.namespace for row in rows]
        first = [
            either.op.tokens.seen_once("x", "new", at, begun)
            for at in (begun, begun + timedelta(hours=30), begun + timedelta(hours=61))
        ]
        db.session.rollback()

    assert max(kinds.count("x"), kinds.count("y")) <= 16
    assert first == [False, False, True]
