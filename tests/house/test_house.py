"""The house keeps its own rules."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

from idp.domain import Provider
from idp.policies import POLICIES
from idp.protocol.authorize import STEPS, checks
from idp.protocol.grants import GRANTS
from idp.sinks import SINKS

ROOT = Path(__file__).parents[2]
MOST_LINES = 300


def test_no_file_outgrows_its_subject() -> None:
    found = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for folder in ("idp", "client_demo")
        for path in (ROOT / folder).rglob("*.py")
    }

    assert {name: lines for name, lines in found.items() if lines > MOST_LINES} == {}


def test_the_provider_has_fields_only_and_at_most_twelve() -> None:
    methods = [name for name, value in vars(Provider).items() if callable(value)]

    assert len(dataclasses.fields(Provider)) <= 12
    assert [name for name in methods if not name.startswith("__")] == []


def test_every_rule_of_an_authorization_request_stands_in_the_table() -> None:
    rooms = [
        importlib.import_module(f"{checks.__name__}.{room.name}")
        for room in pkgutil.iter_modules(checks.__path__)
    ]
    rules = {
        name
        for room in rooms
        for name, value in vars(room).items()
        if inspect.isfunction(value) and value.__module__ == room.__name__
    }
    other = {"client_and_redirect_uri", "response_channel", "matches"}

    public = {name for name in rules if not name.startswith("_")} - other
    assert public == {rule.__name__ for rule, _ in STEPS}


def test_every_file_in_a_plug_in_folder_is_registered() -> None:
    grants = {p.stem for p in (ROOT / "idp/protocol/grants").glob("*.py")} - {"__init__"}
    words = {"__init__", "model", "feed"}
    policies = {p.stem for p in (ROOT / "idp/policies").glob("*.py")} - words
    not_from_the_outbox = {"__init__", "feed"}
    sinks = {p.stem for p in (ROOT / "idp/sinks").glob("*.py")} - not_from_the_outbox

    assert sinks == {sink.__name__.rsplit(".", 1)[-1] for sink in SINKS.values()}
    named = {str(grant.GRANT_TYPE).rsplit(":", 1)[-1].replace("-", "_") for grant in GRANTS}
    assert grants == named
    assert policies == set(POLICIES)


def test_the_clock_on_the_wall_is_looked_at_in_two_places_only() -> None:
    """In `app.py`, and in the guard, which applications start by themselves."""
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "idp").rglob("*.py")
        if re.search(r"datetime\.(now|utcnow)\(|time\.time\(", path.read_text())
    }

    assert found == {"idp/app.py", "idp/guard/guard.py"}
