"""What all commands have in common: help for people, JSON for programs, and exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from idp.cli import idp
from tests.cli.conftest import Operator

# Each command, words that make it succeed, and words that it refuses.
TABLE: dict[str, tuple[str | None, str | None]] = {
    "account add": ("account add {new}", "account add alice"),
    "account list": ("account list", None),
    "account disable": ("account disable {someone}", "account disable nobody"),
    "account enable": ("account enable {someone}", "account enable nobody"),
    "account reset-password": (
        "account reset-password {someone}",
        "account reset-password nobody",
    ),
    "account remove-second-factor": (None, "account remove-second-factor alice"),
    "account sessions": ("account sessions alice", "account sessions nobody"),
    "account sign-out": ("account sign-out alice", "account sign-out nobody"),
    "signout": ("signout --account {someone} --yes", "signout --account nobody"),
    "receipt list": ("receipt list --account alice", "receipt list --account nobody"),
    "receipt show": ("receipt show {receipt}", "receipt show nothing"),
    "client add": (
        "client add Notes --redirect-uri https://rp.test/cb",
        "client add Notes --redirect-uri http://rp.test/cb",
    ),
    "client invite": ("client invite --hours 2", None),
    "client list": ("client list", None),
    "client show": ("client show {client}", "client show nobody"),
    "client rotate-secret": ("client rotate-secret {client}", "client rotate-secret nobody"),
    "client policies": ("client policies {client} rotation", "client policies {client} opaque"),
    "client exchange": (
        "client exchange {client} {resource}",
        "client exchange {client} https://nowhere.test",
    ),
    "client profile": ("client profile {client} none", "client profile {client} fapi2"),
    "client remove": ("client remove {client}", "client remove nobody"),
    "issuer trust": (
        "issuer trust https://{new}.test --jwks-uri https://hr.test/jwks --client c --subject 1=a",
        "issuer trust http://hr.test --jwks-uri https://hr.test/jwks --client c --subject 1=a",
    ),
    "issuer list": ("issuer list", None),
    "issuer distrust": (None, "issuer distrust https://nobody.test"),
    "resource add": ("resource add https://{new}.test", "resource add not-an-address"),
    "resource list": ("resource list", None),
    "resource details": ("resource details {resource}", "resource details https://nowhere.test"),
    "policies list": ("policies list", None),
    "policies show": ("policies show sso", "policies show luck"),
    "policies compare": (None, "policies compare --policy luck"),
    "role set": ("role set alice {resource} editor", "role set alice https://nowhere.test editor"),
    "role list": ("role list alice", "role list nobody"),
    "key list": ("key list", None),
    "key rotate": ("key rotate --alg ES256", "key rotate --alg none"),
    "key ensure": ("key ensure", None),
    "key revoke": ("key revoke {key}", "key revoke nobody"),
    "deliveries list": ("deliveries list --state dead", None),
    "deliveries resend": (None, "deliveries resend 4711"),
    "stream list": ("stream list", None),
    "stream remove": ("stream remove {stream}", "stream remove nobodys"),
    "stream token": ("stream token {client}", "stream token nobody"),
    "feed guards": ("feed guards", None),
    "feed renew": ("feed renew", None),
    "doctor": (None, "doctor"),
}
WITHOUT_JSON = {"batch", "migrate", "serve", "worker"}
WITHOUT_DATABASE = {"policies list"}


def commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


COMMANDS = dict(commands(idp))
GROUPS = sorted({name.split()[0] for name in COMMANDS if " " in name})


def filled(words: str, operator: Operator) -> list[str]:
    """The words, with things that exist in the places for them."""
    filling = {"new": f"n{len(operator.reads('account', 'list'))}"}
    if "{client}" in words:
        added = operator.reads("client", "add", "Robot")
        filling["client"] = str(added["client_id"])
    if "{new}" in words and "resource" in words:
        filling["new"] = f"api{len(operator.reads('resource', 'list'))}"
    if "{stream}" in words:
        filling["stream"] = stream(operator)
    if "{receipt}" in words:
        operator.world.browser().sign_in("alice")
        filling["receipt"] = operator.reads("account", "sign-out", "alice")["receipt"]
    if "{key}" in words:
        filling["key"] = operator.reads("key", "list")[0]["kid"]
    if "{resource}" in words:
        filling["resource"] = "https://roles.test"
        operator.reads("resource", "add", filling["resource"])
    if "{someone}" in words:
        filling["someone"] = operator.reads("account", "add", f"s{filling['new']}")["username"]
    return words.format(**filling).split()


def stream(operator: Operator) -> str:
    """A stream that a client has made with a token the operator printed for it."""
    client = operator.reads("client", "add", "Watch")["client_id"]
    token = operator.reads("stream", "token", client)["access_token"]
    made = operator.world.http().post(
        "/ssf/streams", json={}, headers={"Authorization": f"Bearer {token}"}
    )
    assert made.status_code == 201, made.text
    return str(made.json["stream_id"])


def test_every_command_stands_in_the_table() -> None:
    assert set(TABLE) | WITHOUT_JSON == set(COMMANDS)


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS, ""])
def test_help_says_what_a_command_and_each_of_its_options_is_for(name: str) -> None:
    done = CliRunner().invoke(idp, [*name.split(), "--help"])

    command = COMMANDS.get(name)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()[2].strip()) > 10
    for option in command.params if command else ():
        if isinstance(option, click.Option) and not isinstance(option.type, click.Choice):
            assert option.help or option.show_default, option.name


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][0]])
def test_each_command_answers_programs_in_json_and_people_in_lines(
    operator: Operator, name: str
) -> None:
    words = TABLE[name][0] or ""

    for_programs = operator.types(*filled(words, operator), "--json")
    for_people = operator.types(*filled(words, operator))

    assert for_programs.exit_code == for_people.exit_code == 0, for_programs.output
    assert isinstance(json.loads(for_programs.stdout), dict | list)
    assert for_people.stdout != for_programs.stdout or for_programs.stdout.strip() == "[]"
    assert for_programs.stderr == for_people.stderr == ""


@pytest.mark.parametrize("name", [name for name in TABLE if TABLE[name][1]])
def test_what_is_refused_is_one_sentence_and_exit_code_1(operator: Operator, name: str) -> None:
    done = operator.types(*filled(TABLE[name][1] or "", operator))

    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output
    if name != "doctor":
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert done.stderr.startswith("Error: ")


@pytest.mark.parametrize("words", ["client ad", "client add", "client list --jsn", "deliveries x"])
def test_a_command_line_that_is_wrong_is_exit_code_2(operator: Operator, words: str) -> None:
    done = operator.types(*words.split())

    assert done.exit_code == 2
    assert "Usage: " in done.stderr


@pytest.mark.parametrize(
    "name", [name for name in TABLE if TABLE[name][0] and name not in WITHOUT_DATABASE]
)
def test_an_empty_database_is_said_to_be_empty(tmp_path: Path, name: str) -> None:
    runner = CliRunner(env={"IDP_DATA_DIR": str(tmp_path)})

    done = runner.invoke(
        idp,
        (TABLE[name][0] or "")
        .format(new="n", client="c", someone="s", key="k", resource="r", receipt="x", stream="x")
        .split(),
    )

    assert done.exit_code == 1
    assert done.stderr == "Error: the database is empty; run `idp migrate` first\n"
