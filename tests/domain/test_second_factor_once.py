"""A code is accepted once: 32 who bring it at the same time, on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable

import pytest

from idp.domain.login import recovery, totp
from idp.store import db
from tests.support.phone import Owner, enter
from tests.support.race import Race, at_real_time
from tests.support.spec import spec
from tests.support.world import World, hidden

RACERS, ROUNDS = 32, 6

Verify = Callable[[str], bool]


def at_once(world: World, verify: Verify, code: str) -> int:
    """How many of all who bring a code at the same time are told yes."""
    ready, taken = threading.Barrier(RACERS), list[bool]()

    def bring() -> None:
        with world.app.app_context():
            ready.wait()
            taken.append(verify(code))
            db.session.commit()

    threads = [threading.Thread(target=bring) for _ in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == RACERS
    return sum(taken)


@pytest.mark.slow
@spec("TOT-01", "CON-01", "P3", "V6.5.1")
def test_a_code_of_the_app_has_one_winner(either: World) -> None:
    owner, op = Owner.enrolled(either), either.op
    won = []

    for _ in range(ROUNDS):
        either.clock.advance(seconds=30)
        code, now = owner.phone.code(), either.clock.now
        won.append(
            at_once(either, lambda code, now=now: totp.verify(op, owner.sub, code, now), code)  # type: ignore[misc]
        )

    assert won == [1] * ROUNDS


@pytest.mark.slow
@spec("TOT-06", "CON-01", "P3")
def test_a_code_on_paper_has_one_winner(either: World) -> None:
    owner, op, now = Owner.enrolled(either), either.op, either.clock.now

    won = [
        at_once(either, lambda code: recovery.verify(op, owner.sub, code, now), code)
        for code in owner.phone.paper[:ROUNDS]
    ]

    assert won == [1] * ROUNDS


@pytest.mark.slow
@spec("TOT-01", "CON-01", "P3")
def test_of_sign_ins_in_many_processes_one_is_let_in(
    raced: tuple[World, Race, dict[str, str]],
) -> None:
    world, race, _ = raced
    rp = world.rp()
    at_real_time(world)
    owner = Owner.enrolled(world)
    at_real_time(world)
    browser = world.browser()
    forms = []
    for _ in range(RACERS):
        page = owner.half_way(browser)
        forms.append(hidden(page.text, "/sign-in/code") | {"code": owner.phone.code(steps=1)})
    cookie = browser.http.get_cookie("__Host-idp_browser")
    assert cookie is not None

    race.start("/sign-in/code", forms, rp, Cookie=f"__Host-idp_browser={cookie.value}")
    statuses = [status for status, _, _ in race.answers()]

    assert statuses.count(303) == 1, statuses
    assert set(statuses) <= {303, 400, 429}, statuses
    assert enter(browser, owner.half_way(browser), owner.phone.code(steps=1)).status_code >= 400
