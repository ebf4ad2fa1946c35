"""An operator at the command line, and a provider that all tests of a file share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli import idp
from idp.store import db
from tests.support.world import World, make_world


@dataclass
class Operator:
    """Types commands; the provider is found by the environment, as in a shell."""

    world: World
    environ: dict[str, str]

    def types(self, *words: str, given: str | None = None) -> Result:
        """One command, and what came of it."""
        return CliRunner(env=self.environ).invoke(idp, words, input=given)

    def reads(self, *words: str, given: str | None = None) -> Any:
        """The JSON answer of a command that must succeed."""
        done = self.types(*words, "--json", given=given)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def at(data: Path, **settings: str) -> Operator:
    """An operator of a provider whose data are in this folder."""
    environ = {
        "IDP_DATA_DIR": str(data),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": "a secret that is only good for tests, and long",
    } | settings
    world = make_world(data, **{"IDP_REGISTRATION__MODE": "token"} | settings)
    return Operator(world, environ)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    made = at(tmp_path_factory.mktemp("cli"))
    made.world.person("alice", name="Alice", email="alice@example.com")
    yield made
    with made.world.app.app_context():
        db.engine.dispose()
