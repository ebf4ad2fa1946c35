"""Three fixtures: a world on SQLite, a person in it, and a relying party."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from tests.support.world import Rp, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The provider on SQLite."""
    made = make_world(tmp_path)
    yield made
    with made.app.app_context():
        db.engine.dispose()


@pytest.fixture
def alice(world: World) -> str:
    """Somebody with a password; the value is their `sub`."""
    return world.person("alice", name="Alice", email="alice@example.com")


@pytest.fixture
def rp(world: World) -> Rp:
    """A confidential client of our own."""
    return world.rp()
