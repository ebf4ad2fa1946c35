"""A request is answered once and its answer is fetched once: 32 racers in 4 processes."""

import pytest

from idp.store import db
from tests.support.ciba import answers as answers_request
from tests.support.ciba import caller
from tests.support.device import DEVICE_CODE, answers, tv, types
from tests.support.race import PROCESSES, THREADS, Race, at_real_time
from tests.support.spec import spec
from tests.support.world import World, hidden

BURSTS = 30
Raced = tuple[World, Race, dict[str, str]]


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("DEV-01", "CON-01", "P3")
def test_a_yes_is_fetched_by_one_of_any_number_who_try(raced: Raced) -> None:
    world, race, _ = raced
    world.person()
    box, app = tv(world, public=False), caller(world)
    browser = world.browser()
    at_real_time(world)
    browser.sign_in()

    for burst in range(BURSTS):
        at_real_time(world)
        with world.app.app_context():
            world.op.throttle.clear("user_code", session_of(world), world.clock.now)
            world.op.throttle.clear("user_codes_of_address", "127.0.0.1", world.clock.now)
        if burst % 2:
            answers(browser, box.asks().code)
            form = {"grant_type": DEVICE_CODE, "device_code": box.asked["device_code"]}
            got = race.run("/token", form, box.rp)
        else:
            answers_request(browser, "allow" if app.asks() else "")
            grant = "urn:openid:params:grant-type:ciba"
            form = {"grant_type": grant, "auth_req_id": app.asked["auth_req_id"]}
            got = race.run("/token", form, app.rp)

        assert sorted(status for status, _, _ in got) == [200] + [400] * 31, got
        assert {error for status, _, error in got if status == 400} == {"invalid_grant"}


def session_of(world: World) -> str:
    row = world.op.accounts.find_by_username("alice")
    assert row is not None
    return world.op.sessions.of_account(row.id, world.clock.now)[0].id


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("DEV-03", "CON-01", "P3")
def test_of_a_yes_and_a_no_at_once_one_counts(raced: Raced) -> None:
    world, race, _ = raced
    account_id = world.person()
    box = tv(world, public=False)
    browser = world.browser()
    at_real_time(world)
    browser.sign_in()

    for burst in range(BURSTS // 3):
        at_real_time(world)
        form = hidden(types(browser, box.asks().code).text, "/device/confirm")
        forms = [
            form | {"answer": "allow" if number % 2 else "deny"}
            for number in range(PROCESSES * THREADS)
        ]
        cookies = "; ".join(
            f"{name}={browser.http.get_cookie(name, domain='localhost').value}"  # type: ignore[union-attr]
            for name in ("__Host-idp_session", "__Host-idp_browser")
        )

        race.start("/device/confirm", forms, box.rp, Cookie=cookies)
        statuses = {status for status, _, _ in race.answers()}

        with world.app.app_context():
            events = [event.name for event in world.op.events.of_account(account_id, 1000)]
            db.session.rollback()
        told = [name for name in events if name in ("DeviceAllowed", "DeviceDenied")]
        assert statuses == {303}
        assert len(told) == burst + 1
        at_real_time(world)
        assert box.hears() == {"DeviceAllowed": "", "DeviceDenied": "access_denied"}[told[0]]
