"""A pushed request is answered once: 32 browsers in 4 processes, on SQLite and on PostgreSQL."""

import pytest

from tests.protocol.test_par import pushed
from tests.support.race import Race, at_real_time
from tests.support.spec import spec
from tests.support.world import World

BURSTS = 60


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("PAR-02", "CON-01", "P3", "RFC 9126 section 4")
def test_a_pushed_request_has_one_answer(raced: tuple[World, Race, dict[str, str]]) -> None:
    world, race, _ = raced
    world.person()
    rp = world.rp()
    at_real_time(world)
    browser = world.browser()
    session = browser.sign_in().headers["Set-Cookie"].partition(";")[0]

    for _ in range(BURSTS):
        at_real_time(world)
        form = {"client_id": rp.client_id, "request_uri": pushed(rp)}
        answers = race.run("/authorize", form, rp, Cookie=session)

        statuses = [status for status, _, _ in answers]
        assert statuses.count(303) == 1, statuses
        assert set(statuses) == {303, 400}, statuses
