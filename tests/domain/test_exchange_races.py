"""Exchanges beside a sign-out, and one word of another issuer brought by 32 at once."""

import time
from pathlib import Path

import pytest

from idp.domain.sign_out import Because
from idp.store import db
from tests.protocol.test_jwt_bearer import GRANT as JWT_BEARER
from tests.protocol.test_jwt_bearer import Bearer
from tests.support.exchange import ARCHIVE, GRANT, TYPE, Chain
from tests.support.race import PROCESSES, THREADS, Race, at_real_time
from tests.support.spec import spec
from tests.support.world import World

ROUNDS = 4
WHY = Because("test", "test")
Raced = tuple[World, Race, dict[str, str]]


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("CON-02", "CON-03", "EXC-03", "P4")
@pytest.mark.parametrize("what", ["everywhere", "disabled"])
def test_nothing_exchanged_beside_a_sign_out_outlives_it(raced: Raced, what: str) -> None:
    world, race, _ = raced
    who = world.person()
    at_real_time(world)
    chain = Chain.of(world)

    for number in range(ROUNDS):
        at_real_time(world)
        chain.browser.sign_in()
        form = {"grant_type": GRANT, "subject_token": chain.tokens()["access_token"]}
        form |= {"subject_token_type": f"{TYPE}access_token", "resource": ARCHIVE}
        race.start("/token", [form] * PROCESSES * THREADS, chain.notes)
        time.sleep(0.02 * number)
        with world.app.app_context():
            at_real_time(world)
            row = world.op.accounts.find(who)
            assert row is not None
            if what == "disabled":
                world.op.accounts.disable(row, world.clock.now)
            world.op.sign_outs.everywhere(who, WHY, world.clock.now)
            db.session.commit()
        answers = race.answers()

        assert {status for status, _, _ in answers} <= {200, 400}, answers
        won = [token for status, token, _ in answers if status == 200]
        assert [token for token in won if chain.archive.introspect(token)["active"]] == []
        with world.app.app_context():
            row = world.op.accounts.find(who)
            assert row is not None
            world.op.accounts.enable(row, world.clock.now)
            db.session.commit()


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("CON-01", "P3", "JWA-02", "RFC 7523 section 3")
def test_one_word_is_good_for_one_token(raced: Raced, tmp_path: Path) -> None:
    world, race, _ = raced
    world.person()
    at_real_time(world)
    hr = Bearer.of(world)

    for _ in range(ROUNDS):
        at_real_time(world)
        form = {"grant_type": JWT_BEARER, "assertion": hr.word()}
        answers = race.run("/token", form, hr.client)

        assert sorted(status for status, _, _ in answers) == [200, *[400] * 31]
