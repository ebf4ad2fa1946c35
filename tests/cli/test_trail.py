"""What an operator changes is in the audit trail, and happens together with it."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from idp.domain.events import Event
from idp.store import db
from tests.cli.conftest import Operator, at
from tests.support.spec import spec


@spec("LOG-04", "V16.3.3")
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("account add carol", "AccountCreated"),
        ("account disable alice", "AccountDisabled"),
        ("account enable alice", "AccountEnabled"),
        ("client add Notes --redirect-uri https://rp.test/cb", "ClientAdded"),
        ("client rotate-secret {client}", "SecretRotated"),
        ("client remove {client}", "ClientRemoved"),
        ("resource add https://trail.test", "ResourceAdded"),
    ],
)
def test_an_operators_change_is_written_down(operator: Operator, command: str, name: str) -> None:
    client = operator.reads("client", "add", "Old", "--redirect-uri", "https://rp.test/cb")

    operator.reads(*command.format(client=client["client_id"]).split())

    with operator.world.app.app_context():
        newest = db.session.scalars(select(Event).where(Event.name == name).order_by(-Event.id))
        assert newest.first().details["by"] == "operator"  # type: ignore[union-attr]


@spec("LOG-05")
@pytest.mark.parametrize(
    "command", ["account add carol", "account disable alice", "client add N --scope openid"]
)
def test_a_change_that_cannot_be_written_down_does_not_happen(tmp_path: Path, command: str) -> None:
    operator = at(tmp_path)
    operator.world.person("alice")
    with operator.world.app.app_context():
        db.session.execute(text("DROP TABLE event"))
        db.session.commit()

    done = operator.types(*command.split())

    assert done.exit_code != 0
    assert [row["disabled"] for row in operator.reads("account", "list")] == [None]
    assert operator.reads("client", "list") == []


@spec("ADM-02")
def test_a_secret_is_shown_once_to_an_operator_too(operator: Operator) -> None:
    made = operator.reads("client", "add", "Notes", "--redirect-uri", "https://rp.test/cb")

    again = operator.types("client", "show", made["client_id"]).output
    listed = operator.types("client", "list", "--json").output

    assert made["client_secret"] not in again + listed
