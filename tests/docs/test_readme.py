"""What the README tells people to type, typed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import psycopg
import pytest

from idp.cli import idp
from tests.docs.readme import FENCE, KNOWN, ROOT, block, blocks
from tests.support.services import Postgres, Redis, free_port

BIN = Path(sys.executable).parent
SECRET = "a secret that is only good for tests, and long"


def environ(data: Path, **more: str) -> dict[str, str]:
    """A shell in which `idp` is found and the data are somewhere else."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("IDP_", "DEMO_"))}
    return kept | {"PATH": f"{BIN}:{os.environ['PATH']}", "IDP_DATA_DIR": str(data)} | more


def typed(text: str, env: dict[str, str]) -> str:
    """What a shell says that stops at the first thing that fails."""
    done = subprocess.run(
        ["sh", "-e", "-c", text], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(text: str, env: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A shell and all it starts, until the end of the block; then nothing of it is left."""
    with log.open("wb") as out:
        shell = subprocess.Popen(
            ["sh", "-e", "-c", text],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield shell
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(60)
        _wait_until_over(shell.pid)


def _wait_until_over(group: int) -> None:
    """What runs in the background of a shell may take a moment longer."""
    ends = time.monotonic() + 30
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        if time.monotonic() > ends:
            os.killpg(group, signal.SIGKILL)
            raise AssertionError("something does not end when it is told to")
        time.sleep(0.1)


def test_no_snippet_escapes_its_test() -> None:
    readme = (ROOT / "README.md").read_text()

    assert {block(name) for name in KNOWN} == set(blocks())
    assert len(blocks()) == len(KNOWN)
    assert FENCE.sub("", readme).count("```") == 0


def test_every_address_inside_the_repository_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", readme)
    named = re.findall(r"`((?:config|docs)/[\w.]+|[\w.]+\.yaml)`", readme)

    assert links
    assert [path for path in [*links, *named] if not (ROOT / path).exists()] == []


def test_every_command_named_in_a_sentence_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    made = set(re.findall(r"`make ([a-z]+)`", text))
    ours = {tuple(found.split()) for found in re.findall(r"`idp ([a-z]+(?: [a-z-]+)*)", text)}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    assert made <= targets
    assert [words for words in ours if not _is_command(words)] == []


def _is_command(words: tuple[str, ...]) -> bool:
    """Whether these words lead to a command, and options follow."""
    group: click.Command | None = idp
    for word in words:
        if isinstance(group, click.Group):
            group = group.commands.get(word)
    return group is not None


@pytest.mark.slow
def test_the_provider_starts_alone(tmp_path: Path) -> None:
    port = free_port()
    env = environ(tmp_path / "data", IDP_PORT=str(port))
    ends = time.monotonic() + 60

    with running("make run", env, tmp_path / "log") as shell:
        while not _ready(port):
            assert shell.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.2)
        said = httpx.get(f"http://localhost:{port}/.well-known/openid-configuration").json()

    assert said["issuer"] == f"http://localhost:{port}"


def test_the_command_that_tests_runs_every_test() -> None:
    dry = typed("make -n test", environ(Path("unused")))

    assert block("test").text == "make test\n"
    assert re.findall(r"pytest -q(?: -n \d)? (.*)", dry) == [
        '-m "not slow and not journey"',
        "-m journey",
        "tests/conformance -m slow",
        "--ignore tests/conformance -m slow",
    ]


@pytest.mark.slow
def test_the_demo_starts_with_one_command(tmp_path: Path) -> None:
    names = ("IDP_PORT", "DEMO_PORT_A", "DEMO_PORT_B", "DEMO_API_PORT")
    ports = {name: str(free_port()) for name in names}
    log = tmp_path / "log"
    ends = time.monotonic() + 120

    with running(block("demo").text, environ(tmp_path / "data", **ports), log) as shell:
        while "Ctrl-C" not in log.read_text():
            assert shell.poll() is None, log.read_text()
            assert time.monotonic() < ends
            time.sleep(0.2)
        answers = [httpx.get(f"http://localhost:{port}/") for port in ports.values()]

    assert [answer.status_code for answer in answers] == [303, 200, 200, 200]
    assert all(port in log.read_text() for port in ports.values())
    assert [port for port in ports.values() if not _silent(port)] == []


def _silent(port: str) -> bool:
    """Whether nothing listens any more, in the end."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            httpx.get(f"http://localhost:{port}/", timeout=1)
        except httpx.ConnectError:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
def test_people_apps_and_apis_are_added_as_it_says(tmp_path: Path) -> None:
    env = environ(tmp_path)

    typed("idp migrate", env)
    app = typed(block("add").text, env)
    api = typed(block("resource").text, env)
    people = json.loads(typed("idp account list --json", env))
    clients = json.loads(typed("idp client list --json", env))

    assert [person["username"] for person in people] == ["ann"]
    assert sorted(client["name"] for client in clients) == ["My app", "Notes API"]
    assert len(re.findall(r"^client_secret +\S{40,}$", app + api, re.M)) == 2
    assert "initial_access_token" in typed("idp client invite", env)


@pytest.mark.slow
def test_production_starts_as_it_says(tmp_path: Path, postgres: Postgres, redis: Redis) -> None:
    port, database = free_port(), postgres.fresh()
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    text = block("production").fitted(
        {
            "/run/secrets/idp": str(tmp_path / "secret"),
            "postgresql://idp@db/idp": database,
            "redis://redis:6379/0": redis.url,
        }
    )
    env = environ(tmp_path, IDP_PORT=str(port), IDP_SERVER__HOST="127.0.0.1")
    ends = time.monotonic() + 90

    with running(text, env, tmp_path / "log") as shell:
        while not _ready(port):
            assert shell.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < ends, (tmp_path / "log").read_text()
            time.sleep(0.2)
        said = httpx.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration").json()
        with psycopg.connect(database) as connection:
            keys = connection.execute("select count(*) from signing_key").fetchone()

    assert said["issuer"] == "https://login.example"
    assert keys is not None
    assert keys[0] > 0
    assert "W001" in (tmp_path / "log").read_text()
    assert "E00" not in (tmp_path / "log").read_text()


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
