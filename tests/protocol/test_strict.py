"""Strict sign-out: it is answered when every guard that listens has heard of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world


@pytest.fixture(params=["sqlite", "postgresql"])
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A provider whose sign-outs wait for guards, for a second at the most."""
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres").fresh() if on_postgres else ""
    made = make_world(tmp_path, url, IDP_SIGN_OUT__STRICT="true", IDP_FEED__MAX_SILENCE="1")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def poll(api: Rp, guard: str, **query: Any) -> dict[str, Any]:
    answer = api.world.http().get("/feed", query_string={"guard": guard} | query, **api.auth())
    assert answer.status_code == 200, answer.text
    given: dict[str, Any] = answer.json
    return given


@contextmanager
def listening(api: Rp, *guards: str) -> Iterator[None]:
    """Guards that follow, one long poll after the other."""
    ended = threading.Event()
    ready = threading.Barrier(len(guards) + 1)

    def follow(guard: str) -> None:
        said = poll(api, guard)
        poll(api, guard, epoch=said["epoch"], after=said["to"])
        ready.wait()
        while not ended.is_set():
            said = poll(api, guard, epoch=said["epoch"], after=said["to"], wait=300)

    threads = [threading.Thread(target=follow, args=[guard]) for guard in guards]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.05)
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def guards_on_receipt(world: World, who: str) -> dict[str, tuple[str, str]]:
    """What the newest receipt says of each guard."""
    with world.app.app_context():
        receipts = world.op.sign_outs.receipts
        newest = receipts.of_account(who)[0]
        lines = receipts.lines(newest.id)
        db.session.remove()
    return {line.reference: (line.name, line.state) for line in lines if line.kind == "guard"}


def signs_out(world: World, app: Rp) -> float:
    """Somebody signs in and out again; how many seconds the sign-out took."""
    browser = world.browser()
    browser.tokens(app)
    page = browser.http.get("/end_session")
    began = time.monotonic()
    answer = browser.submit(page, "/end_session/confirm")
    assert answer.status_code == 200
    return time.monotonic() - began


def who(world: World) -> str:
    with world.app.app_context():
        row = world.op.accounts.find_by_username("alice")
        assert row is not None
        return row.id


@spec("P4", "P8")
def test_every_guard_that_listens_has_confirmed_when_the_page_appears(strict: World) -> None:
    api, app = strict.api(), strict.rp()

    with listening(api, "one", "two", "three"):
        took = signs_out(strict, app)

    assert took < 0.9
    said = guards_on_receipt(strict, who(strict))
    assert said == dict.fromkeys(("one", "two", "three"), ("API", "confirmed"))


@spec("P4", "P8")
def test_a_guard_that_fell_silent_is_waited_for_only_as_long_as_it_can_trust(
    strict: World,
) -> None:
    api, app = strict.api(), strict.rp()
    poll(api, "silent")

    with listening(api, "awake"):
        took = signs_out(strict, app)

    assert 0.9 < took < 3
    said = {guard: state for guard, (_, state) in guards_on_receipt(strict, who(strict)).items()}
    assert said == {"silent": "lapsed", "awake": "confirmed"}


def test_a_guard_that_is_gone_is_not_waited_for(strict: World) -> None:
    api, app = strict.api(), strict.rp()
    poll(api, "gone")
    strict.clock.advance(seconds=2)

    assert signs_out(strict, app) < 0.9
    assert guards_on_receipt(strict, who(strict)) == {}


@spec("RFC 7009 section 2.2", "P4")
def test_a_revocation_waits_too_and_writes_it_down(strict: World) -> None:
    api, app = strict.api(), strict.rp()
    tokens = strict.browser().tokens(app)

    with listening(api, "one"):
        answer = app.post("/revoke", token=tokens["refresh_token"])

    assert answer.status_code == 200
    assert guards_on_receipt(strict, who(strict)) == {"one": ("API", "confirmed")}


@spec("REV-02")
def test_a_strangers_revocation_does_not_wait(strict: World) -> None:
    api, app, other = strict.api(), strict.rp(), strict.rp("Other")
    tokens = strict.browser().tokens(app)
    poll(api, "silent")
    began = time.monotonic()

    other.post("/revoke", token=tokens["refresh_token"])

    assert time.monotonic() - began < 0.9


def test_leases_that_are_over_are_forgotten(strict: World) -> None:
    api = strict.api()
    for number in range(5):
        poll(api, f"g{number}")
    strict.clock.advance(minutes=1)

    with strict.app.app_context():
        leases = strict.op.sign_outs.feed.leases
        gone = leases.sweep(strict.clock.now, 3), leases.sweep(strict.clock.now, 3)
        db.session.commit()

    assert gone == (3, 2)


def test_without_strict_a_guard_that_goes_on_is_written_down_now_and_then(world: World) -> None:
    api = world.api()
    known = poll(api, "g")

    with world.app.app_context():
        leases = world.op.sign_outs.feed.leases
        (first,) = leases.live(world.clock.now)
        poll(api, "g", epoch=known["epoch"], after=known["to"])
        (second,) = leases.live(world.clock.now)
        world.clock.advance(seconds=5)
        poll(api, "g", epoch=known["epoch"], after=known["to"])
        (third,) = leases.live(world.clock.now)

    assert first == second
    assert (third.epoch, third.until > second.until) == (known["epoch"], True)
