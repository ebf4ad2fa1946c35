"""Short-lived facts: the same promises on SQLite, on PostgreSQL, and on Redis."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from idp.store import Base
from idp.store.redis import RedisVolatile
from idp.store.volatile import SqlVolatile, Volatile
from tests.support.spec import spec

HOUR = timedelta(hours=1)
BLINK = timedelta(milliseconds=120)

Fresh = Callable[[], Volatile]


def now() -> datetime:
    """The time on the wall: Redis knows no other."""
    return datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Makes one more process's view of the same facts."""
    if request.param == "redis":
        url = request.getfixturevalue("redis").url
        yield lambda: RedisVolatile.connect(url)
        return
    address = f"sqlite:///{tmp_path}/facts.sqlite3"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres").fresh().replace("://", "+psycopg://", 1)
    engine = create_engine(address, pool_size=8)
    Base.metadata.create_all(engine)
    yield lambda: SqlVolatile(engine)
    engine.dispose()


@pytest.fixture
def volatile(another: Fresh) -> Volatile:
    return another()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A name that only this test uses."""
    return f"test:{request.node.name}:{time.monotonic_ns()}"


def test_a_count_goes_up_by_one_and_says_when_it_ends(volatile: Volatile, key: str) -> None:
    before = volatile.look(key, now())

    counted = [volatile.count(key, now() + HOUR, now()) for _ in range(3)]
    seen = volatile.look(key, now())

    assert before is None
    assert counted == [1, 2, 3]
    assert seen is not None
    assert seen.total == 3
    assert HOUR - timedelta(minutes=1) < seen.ends - now() <= HOUR


def test_keys_are_counted_apart_whatever_they_are_made_of(volatile: Volatile, key: str) -> None:
    names = [key, key + ":", key + " ", key + "ä", key + "*", key.upper()]

    assert [volatile.count(name, now() + HOUR, now()) for name in names] == [1] * 6


def test_later_tries_do_not_prolong_a_count(volatile: Volatile, key: str) -> None:
    volatile.count(key, now() + BLINK, now())
    volatile.count(key, now() + HOUR, now())

    time.sleep(2 * BLINK.total_seconds())

    assert volatile.look(key, now()) is None
    assert volatile.count(key, now() + HOUR, now()) == 1


def test_what_is_forgotten_starts_over(volatile: Volatile, key: str) -> None:
    for name in (key, key + ":other", key + ":stays"):
        volatile.count(name, now() + HOUR, now())

    volatile.forget(key, key + ":other", key + ":never was")

    assert volatile.count(key, now() + HOUR, now()) == 1
    assert volatile.count(key + ":other", now() + HOUR, now()) == 1
    assert volatile.count(key + ":stays", now() + HOUR, now()) == 2


@spec("PWD-10")
def test_what_one_process_counts_every_process_sees(another: Fresh, key: str) -> None:
    another().count(key, now() + HOUR, now())

    assert another().count(key, now() + HOUR, now()) == 2


@spec("PWD-10")
def test_of_tries_made_at_once_each_has_a_number_of_its_own(another: Fresh, key: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(another().count, key, now() + HOUR, now()) for _ in range(80)]

    assert sorted(done.result() for done in tries) == list(range(1, 81))


def test_a_sweep_takes_what_is_over_and_nothing_else(volatile: Volatile, key: str) -> None:
    volatile.count(key, now() + BLINK, now())
    volatile.count(key + ":stays", now() + HOUR, now())
    time.sleep(2 * BLINK.total_seconds())

    volatile.sweep(now(), 100)

    assert volatile.look(key, now()) is None
    assert volatile.count(key + ":stays", now() + HOUR, now()) == 2
