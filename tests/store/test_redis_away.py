"""Redis is slow, gone, or in a muddle: limits become stricter, and never go away."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from idp.domain.throttle import Limit, Throttle, Throttled
from idp.store.redis import RedisVolatile
from tests.support.services import Redis, free_port, start_redis
from tests.support.spec import spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = {"account": Limit(9, HOUR)}


@pytest.fixture
def server() -> Iterator[Redis]:
    """One that may be ended."""
    started = start_redis()
    yield started
    started.stop()


@pytest.fixture
def away() -> RedisVolatile:
    """Facts at an address where nobody listens."""
    return RedisVolatile.connect(f"redis://127.0.0.1:{free_port()}/0")


def let_through(throttle: Throttle, tries: int = 20) -> int:
    """How many of so many tries are let through."""
    count = 0
    for _ in range(tries):
        try:
            throttle.count("account", "alice", NOW)
        except Throttled:
            continue
        count += 1
    return count


@spec("PWD-10")
def test_without_redis_fewer_tries_are_let_through_but_some(away: RedisVolatile) -> None:
    assert let_through(Throttle(away, LIMITS)) == 3


@spec("PWD-10")
def test_a_redis_that_dies_half_way_does_not_open_the_door(server: Redis) -> None:
    throttle = Throttle(RedisVolatile.connect(server.url), LIMITS)
    before = let_through(throttle)

    server.stop()

    assert before == 9
    assert let_through(throttle) == 3


@spec("PWD-10")
def test_a_redis_that_is_asleep_keeps_nobody_waiting(server: Redis) -> None:
    volatile = RedisVolatile.connect(server.url)
    volatile.count("key", NOW + HOUR, NOW)

    with server.paused():
        began = time.monotonic()
        counted = [volatile.count("key", NOW + HOUR, NOW) for _ in range(2)]
        took = time.monotonic() - began
    while volatile.look("key", NOW) is None:
        time.sleep(0.02)
    seen = volatile.look("key", NOW)

    assert counted == [1, 5]
    assert took < 2
    assert seen is not None
    assert seen.total <= 3, "a try was counted more than once"


@spec("CVE-2023-28858")
def test_an_answer_that_came_too_late_is_given_to_nobody_else(server: Redis) -> None:
    volatile = RedisVolatile.connect(server.url)
    for _ in range(40):
        volatile.count("busy", NOW + HOUR, NOW)

    with server.paused(), ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: volatile.look("busy", NOW), range(16)))
    seen = [volatile.look(f"quiet-{number}", NOW) for number in range(16)]
    counted = [volatile.count(f"quiet-{number}", NOW + HOUR, NOW) for number in range(16)]

    assert seen == [None] * 16
    assert counted == [1] * 16


@spec("PWD-10")
def test_when_redis_is_back_all_count_together_again(server: Redis) -> None:
    one, other = RedisVolatile.connect(server.url), RedisVolatile.connect(server.url)
    with server.paused():
        one.count("key", NOW + HOUR, NOW)
    one.forget("key")

    assert one.count("key", NOW + HOUR, NOW) == 1
    assert other.count("key", NOW + HOUR, NOW) == 2


@spec("PWD-10")
def test_tries_made_at_once_without_redis_are_all_counted(away: RedisVolatile) -> None:
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(away.count, "key", NOW + HOUR, NOW) for _ in range(80)]

    assert sorted(done.result() for done in tries) == list(range(1, 320, 4))


@spec("PWD-10")
def test_a_flood_of_names_without_redis_empties_nobodys_count() -> None:
    away = RedisVolatile.connect(f"redis://127.0.0.1:{free_port()}/0", local_keys=50)
    for _ in range(2):
        away.count("alice", NOW + HOUR, NOW)

    for number in range(1000):
        away.count(f"flood-{number}", NOW + HOUR, NOW)
    alice = away.count("alice", NOW + HOUR, NOW)
    late = away.count("somebody who comes late", NOW + HOUR, NOW)
    kept = away.sweep(NOW + HOUR, 10_000)

    assert alice == 9
    assert late > 9
    assert kept <= 50 + 100


def test_an_answer_in_time_needs_no_second_connection(server: Redis) -> None:
    volatile = RedisVolatile.connect(server.url)

    assert volatile.answers()
    server.stop()
    assert not volatile.answers()
