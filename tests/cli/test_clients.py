"""`idp client invite`: an app registers itself, once, in time, and only where that is on."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Operator, at
from tests.support.spec import spec

METADATA = {"client_name": "Reader", "redirect_uris": ["https://reader.test/callback"]}


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return at(tmp_path)


def register(operator: Operator, token: str) -> int:
    """An app tries to register itself with this token."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = operator.world.http().post("/register", json=METADATA, headers=headers)
    return answer.status_code


@spec("RFC 7591 section 3", "DCR-08")
def test_an_invitation_is_good_for_one_registration(operator: Operator) -> None:
    invitation = operator.reads("client", "invite")

    assert invitation["registration_endpoint"] == "https://op.test/register"
    assert register(operator, invitation["initial_access_token"]) == 201
    assert register(operator, invitation["initial_access_token"]) == 401


@spec("RFC 7591 section 3")
def test_an_invitation_ends_when_it_says(operator: Operator) -> None:
    invitation = operator.reads("client", "invite", "--hours", "2")
    operator.world.clock.now = datetime.fromisoformat(invitation["expires"])

    assert register(operator, invitation["initial_access_token"]) == 401


@spec("RFC 7591 section 3")
def test_an_invitation_is_good_until_then(operator: Operator) -> None:
    invitation = operator.reads("client", "invite", "--hours", "2")
    ends = datetime.fromisoformat(invitation["expires"])
    operator.world.clock.now = ends - timedelta(seconds=1)

    assert register(operator, invitation["initial_access_token"]) == 201


@pytest.mark.parametrize("hours", ["0", "-1", "721", "soon"])
def test_an_invitation_has_an_end_that_is_near(operator: Operator, hours: str) -> None:
    assert operator.types("client", "invite", "--hours", hours).exit_code == 2


def test_nobody_is_invited_where_registration_is_off(tmp_path: Path) -> None:
    operator = at(tmp_path, IDP_REGISTRATION__MODE="off")

    done = operator.types("client", "invite")

    assert done.exit_code == 1
    assert "registration is off" in done.stderr


@spec("P6")
def test_an_invitation_is_not_in_the_database(operator: Operator, tmp_path: Path) -> None:
    token = operator.reads("client", "invite")["initial_access_token"]

    kept = b"".join(path.read_bytes() for path in tmp_path.glob("idp.sqlite3*"))

    assert b"initial-access" in kept
    assert token.encode() not in kept


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "\xff"])
def test_metadata_that_is_no_json_object_is_refused(
    operator: Operator, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "metadata.json"
    file.write_text(text, encoding="latin-1")

    done = operator.types("client", "add", "Notes", "--metadata", str(file))

    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {file} is not ")


@spec("RFC 9449 section 5.2", "DPO-13")
def test_a_client_can_be_held_to_prove_its_key(operator: Operator) -> None:
    added = operator.reads("client", "add", "Robot", "--dpop-bound")

    shown = operator.reads("client", "show", added["client_id"])
    assert shown["dpop_bound_access_tokens"] is True
