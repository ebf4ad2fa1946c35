"""`idp client profile`, word for word as docs/fapi.md has it."""

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Operator
from tests.support.spec import spec

PAGE = (Path(__file__).parents[2] / "docs" / "fapi.md").read_text()
FILE = re.search(r"```json\n(.*?)```", PAGE, re.S)
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.split("\n")
]


@spec("FAPI 2.0 Security Profile section 5.3.2")
def test_the_page_says_how_a_client_is_held_to_the_profile(
    operator: Operator, tmp_path: Path
) -> None:
    assert FILE is not None
    (tmp_path / "bank.json").write_text(FILE.group(1))
    client_id = "c_…"

    for command in filter(None, COMMANDS):
        words = shlex.split(command.replace("bank.json", str(tmp_path / "bank.json")))[1:]
        said = operator.reads(*[client_id if word == "c_…" else word for word in words])
        client_id = said["client_id"]

    assert (said["profile"], said["dpop_bound_access_tokens"]) == ("fapi2", True)
    details = operator.reads("client", "show", client_id)
    assert details["require_pushed_authorization_requests"] is True
    assert details["policies"] == []


@pytest.mark.parametrize("profile", ["fapi2", "fapi2_message_signing"])
def test_a_client_that_cannot_keep_it_is_told_why(operator: Operator, profile: str) -> None:
    made = operator.reads("client", "add", "Notes", "--redirect-uri", "https://rp.test/cb")

    done = operator.types("client", "profile", made["client_id"], profile)

    assert done.exit_code != 0
    assert "private_key_jwt or mutual TLS" in done.output
    assert operator.reads("client", "profile", made["client_id"], "none")["profile"] is None
