"""Three fixtures: a world on SQLite, a person in it, and a relying party."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from idp.store import db
from tests.support.services import Postgres, Redis, start_postgres, start_redis
from tests.support.world import Rp, World, make_world


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_writes_outside_a_transaction(
    connection: Connection, _cursor: object, statement: str, *_: object
) -> None:
    """What is written before `writing()` would be committed at once, and could not be undone."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection) or driver.in_transaction:
        return
    if statement.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE", "SAVEPOINT"):
        raise AssertionError(f"written outside a transaction: {statement}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for this run."""
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    """A real Redis for this run."""
    server = start_redis()
    yield server
    server.stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The provider on SQLite."""
    yield from _world(tmp_path, "")


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The provider on SQLite, and again on PostgreSQL."""
    on_postgres = request.param == "postgresql"
    url = request.getfixturevalue("postgres").fresh() if on_postgres else ""
    yield from _world(tmp_path, url)


def _world(data_dir: Path, url: str) -> Iterator[World]:
    made = make_world(data_dir, url)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alice(world: World) -> str:
    """Somebody with a password; the value is their `sub`."""
    return world.person("alice", name="Alice", email="alice@example.com")


@pytest.fixture
def rp(world: World) -> Rp:
    """A confidential client of our own."""
    return world.rp()
