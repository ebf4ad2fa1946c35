"""Somebody else holds the store: requests wait a little, are told to come back, and pile up
nowhere.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.outages.running import Running, running
from tests.support.services import Postgres
from tests.support.spec import spec
from tests.support.world import Rp

PATIENCE = 7.0  # five seconds for the lock, and a busy machine
EVERY_TABLE = (
    "SELECT format('%I', relname) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


@contextmanager
def held(url: str, folder: Path) -> Iterator[None]:
    """A long transaction that lets nobody else write, or on PostgreSQL not even read."""
    if not url:
        other = sqlite3.connect(folder / "idp.sqlite3", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
        other.close()
        return
    with psycopg.connect(url) as connection:
        tables = ", ".join(row[0] for row in connection.execute(EVERY_TABLE).fetchall())
        connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def at_once(asks: list[Callable[[], httpx.Response]]) -> list[tuple[int, float]]:
    """What each is answered and how long it took, all asked at the same moment."""
    answers: dict[int, tuple[int, float]] = {}

    def ask(number: int) -> None:
        began = time.monotonic()
        answers[number] = (asks[number]().status_code, time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(asks))]


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@spec("F-06", "CON-05", "REV-04", "CVE-2020-15223")
def test_whoever_meets_a_lock_is_told_to_come_back(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    url = ""
    if store == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.fresh()
    with running(tmp_path, url) as op:
        rp = op.world.rp()
        one, two, three = op.tokens(rp, 3)

        with held(url, tmp_path):
            writes = at_once(
                [lambda token=t: revoked(op, rp, token) for t in (one, two)]  # type: ignore[misc]
                + [lambda: refreshed(op, rp, three), lambda: refreshed(op, rp, one)]
            )
            still = at_once([lambda: op.get("/healthz")])
        later = at_once([lambda: revoked(op, rp, one), lambda: refreshed(op, rp, three)])
        untouched = refreshed(op, rp, two).status_code

        assert [status for status, _ in writes] == [503] * 4, writes
        assert max(took for _, took in writes) < PATIENCE
        assert still[0][0] == 200
        assert still[0][1] < 1
        assert [status for status, _ in later] == [200, 200]
        assert max(took for _, took in later) < 2
        assert untouched == 200
        print(f"{store}: refused after {max(took for _, took in writes):.1f} s at the latest")


def revoked(op: Running, rp: Rp, tokens: dict[str, str]) -> httpx.Response:
    return op.post("/revoke", rp, token=tokens["refresh_token"], timeout=30)


def refreshed(op: Running, rp: Rp, tokens: dict[str, str]) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return op.post("/token", rp, timeout=30, **form)
