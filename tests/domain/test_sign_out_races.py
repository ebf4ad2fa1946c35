"""A sign-out beside 32 racers who renew and redeem: nothing of what they get outlives it."""

import random
import time
from collections.abc import Callable

import pytest

from idp.domain import Provider
from idp.domain.sign_out import Because
from idp.store import db
from tests.support.race import PROCESSES, THREADS, Race, at_real_time
from tests.support.spec import spec
from tests.support.world import Browser, Rp, World

ROUNDS = 6
WHY = Because("signed_out", "person")
Raced = tuple[World, Race, dict[str, str]]


def session(op: Provider, account_id: str, world: World) -> str:
    return op.sessions.of_account(account_id, world.clock.now)[0].id


SIGN_OUTS: dict[str, Callable[[Provider, str, str, World], object]] = {
    "app": lambda op, who, client, world: op.sign_outs.app(
        who, session(op, who, world), client, WHY, world.clock.now
    ),
    "browser": lambda op, who, client, world: op.sign_outs.browser(
        who, session(op, who, world), WHY, world.clock.now
    ),
    "app everywhere": lambda op, who, client, world: op.sign_outs.app_everywhere(
        who, client, WHY, world.clock.now
    ),
    "everywhere": lambda op, who, client, world: op.sign_outs.everywhere(who, WHY, world.clock.now),
}


def forms(browser: Browser, rp: Rp) -> list[dict[str, str]]:
    """Half of them renew, half redeem; all of it is of one person in one browser."""
    half, made = PROCESSES * THREADS // 2, []
    for _ in range(half):
        token = browser.tokens(rp)["refresh_token"]
        made.append({"grant_type": "refresh_token", "refresh_token": token})
    for _ in range(half):
        form = {"grant_type": "authorization_code", "code": browser.code(rp)}
        form |= {"redirect_uri": rp.redirect_uri, "code_verifier": browser.verifier}
        made.append(form)
    random.shuffle(made)
    return made


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("CON-02", "COD-08", "RFT-09", "P4")
@pytest.mark.parametrize("what", SIGN_OUTS)
def test_nothing_minted_beside_a_sign_out_outlives_it(raced: Raced, what: str) -> None:
    world, race, _ = raced
    rp, who = world.rp(), world.person()

    for number in range(ROUNDS):
        at_real_time(world)
        browser = world.browser()
        browser.sign_in()
        race.start("/token", forms(browser, rp), rp)
        time.sleep(0.008 * number)
        with world.app.app_context():
            at_real_time(world)
            SIGN_OUTS[what](world.op, who, rp.client_id, world)
            db.session.commit()
        answers = race.answers()

        at_real_time(world)
        assert {status for status, _, _ in answers} <= {200, 400}, answers
        with world.app.app_context():
            assert world.op.grants.lines_of_account(who) == []
        won = [refresh for status, refresh, _ in answers if status == 200]
        assert {rp.refresh(token).status_code for token in won} <= {400}
