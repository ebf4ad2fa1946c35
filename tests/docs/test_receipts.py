"""The page about receipts: its snippet reads a proof, and its commands end what they say."""

import re
import shlex
from pathlib import Path

import pytest

from idp.domain import receipts
from tests.cli.conftest import at
from tests.support.served import served
from tests.support.spec import spec
from tests.support.world import hidden

PAGE = (Path(__file__).parents[2] / "docs/receipts.md").read_text()


@spec("design section 6", "P8")
def test_the_snippet_reads_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    with served(tmp_path) as op:
        op.world.person()
        person = op.world.browser()
        person.tokens(op.world.rp("Notes"))
        form = hidden(person.http.get("/account/sessions").text, "/account/sessions/end")
        person.http.post("/account/sessions/end", data=form | {"what": "everywhere"})
        (tmp_path / "receipt.jwt").write_text(person.http.get("/signed-out/proof").text)
        monkeypatch.chdir(tmp_path)

        exec(found.replace("http://localhost:9000", op.url), {})  # noqa: S102

    assert "app Notes ended\n" in capsys.readouterr().out


def test_its_commands_are_commands(tmp_path: Path) -> None:
    (found,) = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    operator = at(tmp_path)
    operator.world.person("alice")

    for command in found.splitlines():
        done = operator.types(*shlex.split(command)[1:])
        assert done.output == "There is nothing to end.\n"


def test_every_state_and_no_other_stands_on_the_page() -> None:
    table = PAGE[PAGE.index("| line") : PAGE.index("`scope`")]
    states = {getattr(receipts, name) for name in receipts.__all__ if name.isupper()}
    kinds = {"session", "app", "frontchannel", "line", "offline", "access", "guard"}

    said = set(re.findall(r"`([a-z]+)`", table)) - {"kind", "state", "until", "audience"}

    assert said == states | kinds
