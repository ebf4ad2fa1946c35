"""The README's apps and API, as they stand there, against a provider that listens."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from flask import Flask

from tests.docs.readme import block
from tests.journeys.test_openid_client import BINARY, NODE
from tests.support.apache import BEHIND, apache
from tests.support.served import Served, served
from tests.support.services import free_port
from tests.support.world import Rp, hidden

APP = "http://localhost:5000"
API = "https://api.example"
ISSUER = "http://localhost:9000"


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("op")) as provider:
        provider.world.person("alice", name="Alice", email="alice@example.com")
        yield provider


def credentials(op: Served, rp: Rp) -> dict[str, str]:
    """What somebody who copies a snippet fills in."""
    return {ISSUER: op.url, "CLIENT_ID": rp.client_id, "CLIENT_SECRET": rp.secret or ""}


def made(name: str, changes: dict[str, str]) -> Flask:
    """The Flask application that a snippet makes."""
    names: dict[str, Any] = {"__name__": f"readme_{name}"}
    exec(compile(block(name).fitted(changes), "README.md", "exec"), names)  # noqa: S102
    app: Flask = names["app"]
    return app


def test_the_python_app_signs_people_in_and_out(op: Served) -> None:
    rp = op.world.rp(
        "My app", redirect_uris=[f"{APP}/callback"], post_logout_redirect_uris=[f"{APP}/"]
    )
    site = made("python", credentials(op, rp)).test_client()
    person = op.world.browser()

    sent = site.get("/login", base_url=APP).headers["Location"].removeprefix(op.url)
    back = person.follow(person.http.get(sent)).headers["Location"]
    arrived = site.get(back.removeprefix(APP), base_url=APP, follow_redirects=True)
    away = site.get("/logout", base_url=APP).headers["Location"].removeprefix(op.url)
    page = person.http.get(away)
    if page.status_code == 200:
        page = person.http.post("/end_session", data=hidden(page.text, "/end_session"))

    assert arrived.text == "Hello Alice"
    assert page.headers["Location"] == f"{APP}/"
    assert site.get("/", base_url=APP).headers["Location"] == "/login"


def test_the_guarded_api_lets_in_and_shuts_out(op: Served) -> None:
    op.world.api(API, **{"notes:read": "Read your notes"})
    own = op.world.rp("API", redirect_uris=["https://unused.test"], serves=[API])
    app, person = op.world.rp("Reader"), op.world.browser()
    api = made("guard", credentials(op, own)).test_client()
    given = person.tokens(app, scope="openid notes:read", resource=API)
    bearer = {"Authorization": f"Bearer {given['access_token']}"}

    before = api.get("/notes", headers=bearer)
    page = person.http.get("/account/sessions")
    person.submit(page, "/account/sessions/end", what="everywhere")
    after = api.get("/notes", headers=bearer)
    ends = time.monotonic() + 3  # the guard's max_silence
    while after.status_code == 200 and time.monotonic() < ends:
        after = api.get("/notes", headers=bearer)

    assert before.json is not None
    assert before.json["notes"] == ["Buy milk"]
    assert after.status_code == 401
    assert api.get("/notes").status_code == 401


def test_the_guard_needs_nothing_of_the_provider() -> None:
    code = "import idp.guard, sys; print({'flask', 'authlib', 'sqlalchemy'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "set()"


@pytest.mark.journey
def test_the_javascript_app_signs_people_in(op: Served, tmp_path: Path) -> None:
    port = free_port()
    site = f"http://localhost:{port}"
    rp = op.world.rp("JS app", redirect_uris=[f"{site}/callback"])
    changes = credentials(op, rp) | {APP: site, "listen(5000": f"listen({port}"}
    (tmp_path / "app.mjs").write_text(block("node").fitted(changes))
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    person = op.world.browser()

    with subprocess.Popen([BINARY, tmp_path / "app.mjs"]) as process, httpx.Client() as visitor:
        try:
            first = _first(visitor, site, process)
            sent = first.headers["Location"].removeprefix(op.url)
            back = person.follow(person.http.get(sent)).headers["Location"]
            elsewhere = httpx.get(back)
            arrived = visitor.get(back)
        finally:
            process.kill()

    assert arrived.text == "Hello Alice"
    assert elsewhere.status_code == 303


@pytest.mark.journey
def test_apache_signs_people_in(op: Served, tmp_path: Path) -> None:
    port = free_port()
    site = f"http://localhost:{port}"
    rp = op.world.rp("Apache", redirect_uris=[f"{site}/callback"])
    directives = block("apache").fitted(credentials(op, rp) | {APP: site})
    person = op.world.browser()

    with apache(tmp_path, port, directives), httpx.Client(base_url=site) as visitor:
        sent = visitor.get("/").headers["Location"].removeprefix(op.url)
        back = person.follow(person.http.get(sent)).headers["Location"]
        arrived = visitor.get(urlsplit(back)._replace(scheme="", netloc="").geturl())
        page = visitor.get(arrived.headers["Location"])

    assert BEHIND in page.text


def _first(visitor: httpx.Client, site: str, process: "subprocess.Popen[bytes]") -> httpx.Response:
    """Its first answer, as soon as it listens."""
    ends = time.monotonic() + 20
    while True:
        try:
            return visitor.get(site, timeout=5)
        except httpx.ConnectError:
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.1)
