"""`idp resource details`: an operator describes what an API lets be asked for."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.domain.events import Event
from idp.store import db
from tests.cli.conftest import Operator
from tests.support.payments import PAYMENTS, TYPES
from tests.support.spec import spec


@spec("RFC 9396 section 10", "LOG-04")
def test_types_are_described_in_a_file(operator: Operator, tmp_path: Path) -> None:
    types = tmp_path / "types.json"
    types.write_text(json.dumps(TYPES))
    operator.reads("resource", "add", PAYMENTS)

    said = operator.reads("resource", "details", PAYMENTS, str(types))

    assert said == {"identifier": PAYMENTS, "details": TYPES}
    assert operator.reads("resource", "details", PAYMENTS) == said
    with operator.world.app.app_context():
        trail = select(Event).where(Event.name == "ResourceDescribed")
        assert db.session.scalars(trail).one().details["by"] == "operator"


@spec("RFC 9396 section 10")
@pytest.mark.parametrize("text", ["{", "[]", '{"a": {}}', '{"a b": {"words": "Do it"}}'])
def test_what_is_no_description_changes_nothing(
    operator: Operator, tmp_path: Path, text: str
) -> None:
    types = tmp_path / "types.json"
    types.write_text(text)
    operator.reads("resource", "add", "https://plain.test")

    done = operator.types("resource", "details", "https://plain.test", str(types))

    assert done.exit_code == 1
    assert operator.reads("resource", "details", "https://plain.test")["details"] == {}
