"""Several commands in one process: as if each had been typed, and at the first no it ends."""

import json

import pytest

from tests.cli.conftest import Operator
from tests.support.spec import spec


@spec("product: a set-up takes a moment")
def test_each_line_is_a_command_and_gets_one_line_of_json(operator: Operator) -> None:
    done = operator.types("batch", given="account list --json\n\n# a remark\npolicies list\n")

    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert done.exit_code == 0
    assert first["command"] == ["account", "list"]
    assert first["said"][0]["username"] == "alice"
    assert "short_jwt" in second["said"]


@spec("product: a set-up takes a moment")
def test_what_a_command_reads_is_the_next_line(operator: Operator) -> None:
    lines = "account add batched --password-stdin --json\nfour words that nobody guesses\n"

    done = operator.types("batch", given=lines + "account list --json\n")

    added, listed = (json.loads(line)["said"] for line in done.stdout.splitlines())
    assert added["username"] == "batched"
    assert "batched" in [row["username"] for row in listed]


@spec("product: a set-up takes a moment")
@pytest.mark.parametrize("wrong", ["account add alice", "batch", "client show nobody"])
def test_a_refusal_ends_it_and_what_was_done_before_stays_done(
    operator: Operator, wrong: str
) -> None:
    before = f"account add before-{len(wrong)}\n"

    done = operator.types("batch", given=f"{before}{wrong}\naccount add never\n")

    names = [row["username"] for row in operator.reads("account", "list")]
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert f"before-{len(wrong)}" in names
    assert "never" not in names
