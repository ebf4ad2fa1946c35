"""Tokens that are bound to a certificate, at the guard (RFC 8705 section 3)."""

import asyncio
from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from idp.guard import Certificates, Guard, Refused
from idp.guard.asgi import AsgiGuard
from idp.guard.flask import FlaskGuard
from idp.guard.wsgi import WsgiGuard
from tests.support.certified import Pair, certificate
from tests.support.issuer import SCOPE, Issuer
from tests.support.prover import Prover
from tests.support.spec import spec

URL = "https://api.test/v1/notes"
OURS, ANOTHER = certificate(), certificate()
PROXY = Certificates(networks=["10.0.0.0/8"])


def calls(guard: Guard, token: str, shown: str | None, *proofs: str) -> str | None:
    scheme = "DPoP" if proofs else "Bearer"
    try:
        guard.check(
            [f"{scheme} {token}"], [SCOPE], method="GET", url=URL, dpop=proofs, certificate=shown
        )
    except Refused as refused:
        return refused.error
    return None


@pytest.fixture
def token(issuer: Issuer) -> str:
    return issuer.token(cnf={"x5t#S256": OURS.x5t})


@spec("RFC 8705 section 3")
def test_a_token_works_over_connections_with_its_certificate_only(guard: Guard, token: str) -> None:
    assert calls(guard, token, OURS.pem) is None
    assert calls(guard, token, OURS.rfc9440["Client-Cert"]) is None
    for other in (None, "", "no certificate", ANOTHER.pem, OURS.pem + OURS.pem):
        assert calls(guard, token, other) == "invalid_token"


@spec("RFC 8705 section 3", "RFC 9449 section 7.2")
def test_a_token_that_is_bound_twice_needs_both(issuer: Issuer, guard: Guard) -> None:
    phone = Prover()
    token = issuer.token(cnf={"jkt": phone.jkt, "x5t#S256": OURS.x5t})

    def proof() -> str:
        return phone.proof("GET", URL, issuer.time.now, token=token)

    assert calls(guard, token, OURS.pem, proof()) is None
    assert calls(guard, token, ANOTHER.pem, proof()) == "invalid_token"
    assert calls(guard, token, OURS.pem) == "invalid_token"


@spec("RFC 7800 section 3.1")
@pytest.mark.parametrize(
    "cnf", [{}, {"x5t": "a"}, {"x5t#S256": 7}, {"x5t#S256": "a", "kid": "k"}, [], "x5t#S256"]
)
def test_what_cannot_be_checked_is_refused(issuer: Issuer, guard: Guard, cnf: Any) -> None:
    assert calls(guard, issuer.token(cnf=cnf), OURS.pem) == "invalid_token"


def status_at(app: Any, token: str, pair: Pair, peer: str, **environ: Any) -> int:
    headers = {"Authorization": f"Bearer {token}", **pair.header}
    if environ:
        headers.pop("Client-Cert")
    answer = Client(app).get(
        "/v1/notes", headers=headers, environ_overrides={"REMOTE_ADDR": peer, **environ}
    )
    return answer.status_code


@spec("RFC 8705 section 3", "EDG-02")
@pytest.mark.parametrize("kind", ["wsgi", "flask", "flask behind a proxy"])
def test_an_api_believes_its_own_proxies_only(issuer: Issuer, token: str, kind: str) -> None:
    guard = issuer.guard(certificates=PROXY)
    app: Any = Flask("api")
    if kind == "wsgi":
        app.add_url_rule("/v1/notes", view_func=lambda: "notes")
        app = WsgiGuard(app, guard, guard.need(SCOPE))
    else:
        guarded = FlaskGuard(guard, app).require(SCOPE)(lambda: "notes")
        app.add_url_rule("/v1/notes", "notes", guarded)
    if "behind" in kind:
        app.wsgi_app = ProxyFix(app.wsgi_app)

    assert status_at(app, token, OURS, "10.0.0.1") == 200
    assert status_at(app, token, ANOTHER, "10.0.0.1") == 401
    assert status_at(app, token, OURS, "192.0.2.1") == 401
    assert status_at(app, token, OURS, "10.0.0.1", SSL_CLIENT_CERT=OURS.pem) == 401
    assert guard.describe()["tls_client_certificate_bound_access_tokens"] is True
    guard.close()


@spec("RFC 8705 section 3")
def test_an_api_may_ask_its_own_server(issuer: Issuer, token: str) -> None:
    guard = issuer.guard(certificates=Certificates(source="server"))
    notes = Flask("api")
    notes.add_url_rule("/v1/notes", view_func=lambda: "notes")
    app = WsgiGuard(notes, guard, guard.need(SCOPE))

    assert status_at(app, token, OURS, "10.0.0.1", SSL_CLIENT_CERT=OURS.pem) == 200
    assert status_at(app, token, OURS, "127.0.0.1") == 401
    guard.close()
    with pytest.raises(ValueError, match="proxy"):
        Certificates(source="magic")  # type: ignore[arg-type]


@spec("RFC 8705 section 3", "EDG-02")
@pytest.mark.parametrize("source", ["proxy", "server"])
def test_the_same_before_an_asgi_application(issuer: Issuer, token: str, source: Any) -> None:
    guard = issuer.guard(certificates=Certificates(source=source, networks=["10.0.0.0/8"]))

    def status(peer: str, *shown: str) -> int:
        headers = [(b"authorization", f"Bearer {token}".encode())]
        chain = []
        if source == "proxy":
            headers += [(b"client-cert", each.encode()) for each in shown]
        elif peer.startswith("10."):
            chain = list(shown)
        return asyncio.run(_asked(guard, headers, peer, chain))

    ours = OURS.header["Client-Cert"] if source == "proxy" else OURS.pem
    assert status("10.0.0.1", ours) == 200
    assert status("10.0.0.1") == 401
    assert status("192.0.2.1", ours) == 401
    if source == "proxy":
        assert status("10.0.0.1", ours, ours) == 401
    guard.close()


async def _asked(guard: Guard, headers: Any, peer: str, chain: list[str]) -> int:
    said: list[Any] = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "GET", "path": "/v1/notes", "query_string": b""}
    scope |= {"headers": headers, "client": (peer, 1)}
    scope |= {"extensions": {"tls": {"client_cert_chain": chain}}}
    await AsgiGuard(application, guard, guard.need(SCOPE))(scope, receive, send)
    status: int = said[0]["status"]
    return status
