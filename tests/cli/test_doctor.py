"""`idp doctor`: what is allowed and unwise is found, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import at
from tests.support.services import free_port
from tests.support.spec import spec

TOKEN = "a token that only the monitoring has, and long"


def found(data: Path, **settings: str) -> list[str]:
    """The findings for these settings."""
    operator = at(data, **{"IDP_PKCE_REQUIRED": "all"} | settings)
    done = operator.types("doctor", "--json")
    names = [finding["id"] for finding in json.loads(done.stdout)]
    assert done.exit_code == (0 if names == ["ok"] else 1)
    return names


def test_nothing_is_found_where_nothing_is_unwise(tmp_path: Path) -> None:
    assert found(tmp_path) == ["ok"]


@spec("EDG-10")
@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"IDP_PKCE_REQUIRED": "public"}, ["W001"]),
        ({"IDP_REGISTRATION__MODE": "open"}, ["W002"]),
        ({"IDP_ISSUER": "http://localhost:9000"}, ["W003", "W004"]),
        ({"IDP_ISSUER": "http://localhost:9000", "IDP_METRICS_TOKEN": TOKEN}, ["W003"]),
    ],
)
def test_what_is_unwise_is_found(
    tmp_path: Path, settings: dict[str, str], names: list[str]
) -> None:
    assert found(tmp_path, **settings) == names


@spec("PWD-10")
def test_a_redis_that_does_not_answer_is_found(tmp_path: Path) -> None:
    assert found(tmp_path, IDP_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0") == ["E002"]
