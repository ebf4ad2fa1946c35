"""The Dockerfile's own steps, without Docker; and that compose, hooks and `make` agree."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from idp.cli import idp
from tests.docs.readme import ROOT
from tests.support.services import free_port

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
BUILD, IMAGE = DOCKERFILE.split("\n\n")
SECRET = "a secret that is only good for tests, and long"


def copied() -> list[str]:
    """What the build stage takes from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", BUILD, re.M)
    return [source for line in lines for source in line.split()]


def commands() -> list[list[str]]:
    """What the image runs, and what compose has it run."""
    found = re.findall(r"^CMD (\[.+\])$", IMAGE, re.M)
    found += re.findall(r'command: (\["idp".*?\])', COMPOSE)
    return [json.loads(command) for command in found]


def test_what_the_image_is_made_of_exists_and_is_let_in() -> None:
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.M)

    assert [path for path in copied() if not (ROOT / path).exists()] == []
    assert sorted(copied()) == sorted(let_in)


def test_what_image_and_compose_run_are_commands_of_ours() -> None:
    assert len(commands()) == 3
    assert [
        words for words in commands() if words[0] != "idp" or words[1] not in idp.commands
    ] == []


def test_compose_names_settings_and_secrets_that_exist() -> None:
    known = (ROOT / "docs" / "configuration.md").read_text()
    named = set(re.findall(r"^ +(IDP_\w+):", COMPOSE, re.M))

    assert named
    assert [name for name in named if f"`{name.removesuffix('_FILE')}`" not in known] == []
    assert "IDP_SECRET_FILE: /run/secrets/idp" in COMPOSE
    assert re.search(r"^secrets:\n  idp: \{ file: ./secrets/idp \}$", COMPOSE, re.M)


def test_the_hooks_before_a_commit_are_those_of_make_check() -> None:
    hooks = re.findall(r"entry: (.+)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.M)
    dry = subprocess.run(
        ["make", "-n", "--no-print-directory", "check"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert len(hooks) == 4
    assert hooks == [line for line in dry.splitlines() if "pytest" not in line][-4:]


@pytest.mark.slow
def test_the_steps_of_the_dockerfile_make_a_provider_that_runs(tmp_path: Path) -> None:
    source, venv, port = tmp_path / "src", tmp_path / "venv", free_port()
    source.mkdir()
    for path in copied():
        there = ROOT / path
        if there.is_dir():
            hidden = shutil.ignore_patterns("__pycache__")
            shutil.copytree(there, source / path, ignore=hidden)
        else:
            shutil.copy(there, source)
    env = {k: v for k, v in os.environ.items() if not k.startswith(("IDP_", "PYTHON"))}
    for step in re.findall(r"^RUN (.+)$", BUILD, re.M):
        words = step.replace("/venv", str(venv)).replace("--no-cache-dir ", "").split()
        words[0] = sys.executable if words[0] == "python" else words[0]
        done = subprocess.run(
            words, cwd=source, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    env |= {"PATH": f"{venv}/bin:/usr/bin:/bin", "IDP_DATA_DIR": str(tmp_path / "data")}
    env |= {"IDP_SECRET": SECRET, "IDP_ISSUER": "https://op.test", "IDP_PORT": str(port)}

    subprocess.run(["idp", "migrate"], cwd=tmp_path, env=env, check=True, capture_output=True)
    served = subprocess.Popen(commands()[0], cwd=tmp_path, env=env, start_new_session=True)
    try:
        issuer = _issuer(port, served)
        page = httpx.get(f"http://127.0.0.1:{port}/sign-in", headers={"Accept-Language": "de"})
    finally:
        os.killpg(served.pid, signal.SIGTERM)
        served.wait(20)

    assert issuer == "https://op.test"
    assert page.status_code == 200
    assert "Anmelden" in page.text


def _issuer(port: int, served: "subprocess.Popen[bytes]") -> str:
    """What it says of itself, as soon as it answers."""
    ends = time.monotonic() + 60
    while True:
        try:
            page = f"http://127.0.0.1:{port}/.well-known/openid-configuration"
            return str(httpx.get(page, timeout=2).json()["issuer"])
        except httpx.HTTPError:
            assert served.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.2)
