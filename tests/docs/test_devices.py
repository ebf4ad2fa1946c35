"""What docs/devices.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest

from idp.protocol.ciba.hints import HINTS
from idp.protocol.errors import AuthorizationPending, ExpiredToken, PolledTooSoon
from tests.cli.conftest import at
from tests.docs.readme import ROOT

PAGE = (ROOT / "docs" / "devices.md").read_text()


@pytest.mark.parametrize("command", re.findall(r"^idp (client add .*)$", PAGE, re.M))
def test_a_command_of_the_page_adds_a_client(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (metadata,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    Path("ciba.json").write_text(metadata)

    added = at(tmp_path).reads(*shlex.split(command))

    assert added["client_id"]


def test_the_page_names_the_errors_and_the_hints_as_they_are() -> None:
    for error in (AuthorizationPending, PolledTooSoon, ExpiredToken):
        assert f"| `{error.error}` |" in PAGE
    for hint in HINTS:
        assert f"`{hint}`" in PAGE
