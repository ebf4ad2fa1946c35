"""Events under races and crashes: told once, heard for good, and no place given twice."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.crypto.jose import claims_of
from idp.store import db
from idp.store.tokens import StatusEntry
from tests.conformance.listener import Listener, listener
from tests.conformance.receiver import PUSH, Receiver, fetched, receiving_client
from tests.support.race import Race, at_real_time
from tests.support.services import Postgres
from tests.support.spec import spec
from tests.support.worker import Worker
from tests.support.world import API, World, make_world

pytestmark = pytest.mark.slow

STREAMS, ROUNDS = 4, 5


@dataclass
class House:
    """A world, what other processes of it need to know, and the receivers' own server."""

    world: World
    environ: dict[str, str]
    suite: Listener

    def receiver(self) -> Receiver:
        rp = receiving_client(self.world)
        return Receiver(self.world, rp, fetched(rp), suite=self.suite)


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    with listener(tmp_path) as suite:
        environ = {
            "IDP_DATA_DIR": str(tmp_path),
            "IDP_ISSUER": "https://op.test",
            "IDP_SECRET": "a secret that is only good for tests, and long",
            "IDP_OUTBOUND__ALLOWED": suite.place,
            "IDP_OUTBOUND__CA_BUNDLE": str(suite.bundle),
        }
        if request.param == "postgresql":
            server: Postgres = request.getfixturevalue("postgres")
            environ["IDP_DATABASE_URL"] = server.fresh()
        world = make_world(tmp_path, **environ)
        at_real_time(world)
        world.clock.advance(seconds=-60)  # what is promised here is due there
        yield House(world, environ, suite)
        with world.app.app_context():
            db.session.remove()
            db.engine.dispose()


@spec("P2", "BCL-02", "RFC 8935 section 2.4")
def test_two_workers_tell_each_event_once(house: House) -> None:
    receivers = [house.receiver() for _ in range(STREAMS)]
    for receiver in receivers:
        receiver.delivery = {
            "method": PUSH,
            "endpoint_url": f"{house.suite.url}/events/{receiver.rp.client_id}",
        }
        receiver.creates()
    workers = [Worker(house.environ) for _ in range(2)]
    for number in range(ROUNDS):
        for receiver in receivers:
            receiver.verifies(f"round {number}")
        house.world.clock.advance(seconds=1)

    for worker in workers:
        worker.go()
    tried = [worker.answer() for worker in workers]

    told = Counter(claims_of(came.body)["jti"] for came in house.suite.told)
    assert sum(tried) == len(told) == STREAMS * ROUNDS
    assert set(told.values()) == {1}


@spec("P2", "RFC 8936 section 2.4.4")
def test_what_was_heard_is_not_told_again_after_a_crash(house: House) -> None:
    receiver = house.receiver()
    receiver.creates()
    for number in range(3):
        receiver.verifies(f"round {number}")
        house.world.clock.advance(seconds=1)
    first, second, third = receiver.fetched()
    path = receiver.stream["delivery"]["endpoint_url"].removeprefix("https://op.test")
    call = {
        "path": path,
        "json": {"ack": [first["jti"]], "maxEvents": 1, "returnImmediately": True},
        "headers": {"Authorization": f"Bearer {receiver.token}"},
    }
    worker = Worker(house.environ, call=call)
    worker.go()

    status, said = worker.answer()  # and is killed

    assert (status, list(said["sets"])) == (200, [second["jti"]])
    assert [event["jti"] for event in receiver.fetched()] == [second["jti"], third["jti"]]


@spec("P3", "draft-ietf-oauth-status-list section 12.5")
def test_tokens_that_are_minted_at_once_have_places_of_their_own(
    raced: tuple[World, Race, dict[str, str]],
) -> None:
    world, race, _ = raced
    with world.app.app_context():
        scopes = {"notes:read": "Read"}
        world.op.resources.add(
            API, "API", scopes, ("jti_denylist",), world.clock.now, status_list=True
        )
        db.session.commit()
    robot = world.machine(grant_types=["client_credentials"])

    form = {"grant_type": "client_credentials", "scope": "notes:read"}
    answers = [answer for _ in range(3) for answer in race.run("/token", form, robot)]

    assert {status for status, *_ in answers} == {200}
    with world.app.app_context():
        places = db.session.execute(select(StatusEntry.list_id, StatusEntry.idx)).all()
    assert len(set(places)) == len(answers) == 96
