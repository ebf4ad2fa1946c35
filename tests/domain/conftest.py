"""A race on each of the two databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from tests.support.race import Race
from tests.support.services import Postgres
from tests.support.world import World, make_world


@pytest.fixture(params=["sqlite", "postgresql"])
def raced(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[World, Race, dict[str, str]]]:
    server: Postgres | None = None
    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        assert server is not None
        url = server.fresh()
    world = make_world(tmp_path, url)
    environ = {
        "IDP_DATA_DIR": str(tmp_path),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": "a secret that is only good for tests, and long",
    }
    if url:
        environ["IDP_DATABASE_URL"] = url
    race = Race(environ)
    yield world, race, environ
    race.end()
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()
