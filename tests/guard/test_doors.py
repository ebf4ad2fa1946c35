"""The guard in Flask, before WSGI and before ASGI: what is not let through gets nowhere."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client as WsgiClient

from idp.guard import Guard, Need, ProtectedResource
from idp.guard.asgi import AsgiGuard
from idp.guard.flask import FlaskGuard
from idp.guard.wsgi import WsgiGuard
from tests.support.issuer import API, SCOPE, URL, Issuer, silent, wait_until
from tests.support.prover import Prover
from tests.support.spec import spec

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
WELL_KNOWN = "/.well-known/oauth-protected-resource/v1"


@pytest.fixture
def guard(issuer: Issuer) -> Iterator[Guard]:
    guard = issuer.guard(metadata=ProtectedResource(name="Notes", scopes=[SCOPE]))
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    yield guard
    guard.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestFlask:
    @pytest.fixture
    def http(self, guard: Guard) -> FlaskClient:
        app = Flask(__name__)
        fence = FlaskGuard(guard, app, debug=True)

        @app.route("/v1/notes/<name>", methods=METHODS)
        @fence.require(SCOPE)
        def notes(name: str) -> dict[str, str]:
            return {"sub": fence.access().sub, "name": name}

        return app.test_client()

    @spec("RFC 6750 section 3", "RSG-02")
    def test_a_view_is_reached_with_a_good_token_only(
        self, issuer: Issuer, http: FlaskClient
    ) -> None:
        good = http.get("/v1/notes/a", headers=bearer(issuer.token()))
        none = http.get("/v1/notes/a")
        bad = http.get("/v1/notes/a", headers=bearer("x.y.z"))

        assert (good.status_code, good.json) == (200, {"sub": "ann", "name": "a"})
        assert good.headers["Guard-Freshness"].startswith("feed; staleness=")
        assert (none.status_code, none.json) == (401, {})
        assert (bad.status_code, bad.json) == (401, {"error": "invalid_token"})
        assert bad.headers["WWW-Authenticate"].startswith("Bearer ")
        assert bad.headers["Cache-Control"] == "no-store"

    @spec("RSG-14")
    @pytest.mark.parametrize("method", METHODS)
    def test_no_method_gets_past(self, http: FlaskClient, method: str) -> None:
        answer = http.open("/v1/notes/a", method=method)
        overridden = http.open(
            "/v1/notes/a", method=method, headers={"X-HTTP-Method-Override": "OPTIONS"}
        )

        assert (answer.status_code, overridden.status_code) == (401, 401)

    @spec("DPO-03", "DPO-08")
    def test_the_address_in_a_proof_is_the_public_one(
        self, issuer: Issuer, http: FlaskClient
    ) -> None:
        prover = Prover()
        token = issuer.token(cnf={"jkt": prover.jkt})
        url = "https://api.test/v1/notes/caf%C3%A9"
        proof = prover.proof("GET", url, issuer.time.now, token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof, "Host": "internal:8080"}

        assert http.get("/v1/notes/café", headers=headers).status_code == 200

    @spec("P5", "RSG-11")
    def test_when_nobody_answers_the_caller_is_told_when_to_come_back(
        self, issuer: Issuer, http: FlaskClient
    ) -> None:
        issuer.faults["/introspect"] = silent

        answer = http.get("/v1/notes/a", headers=bearer(issuer.token(policies=["sliding"])))

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

    @spec("RFC 9728 section 3")
    def test_the_metadata_are_where_the_standard_says(self, http: FlaskClient) -> None:
        said = http.get(WELL_KNOWN).json

        assert said is not None
        assert (said["resource"], said["authorization_servers"]) == (API, [URL])
        assert (said["resource_name"], said["scopes_supported"]) == ("Notes", [SCOPE])


class TestMisuse:
    """A mistake is an exception when the application is put together (RSG-10)."""

    @spec("RSG-10")
    @pytest.mark.parametrize(
        ("scopes", "more"),
        [
            ((), {}),
            (("",), {}),
            ((b"notes:read",), {}),
            ((["notes:read"],), {}),
            (("notes read",), {}),
            (('notes"',), {}),
            (("notes:read",), {"freshness": "sometimes"}),
            (("notes:read",), {"roles": "editor"}),
            (("notes:read",), {"acr_values": "phr"}),
            (("notes:read",), {"acr_values": ['a"']}),
            (("notes:read",), {"max_age": "60"}),
            (("notes:read",), {"max_age": -1}),
            (("notes:read",), {"max_age": True}),
        ],
    )
    def test_a_need_that_means_nothing(
        self, guard: Guard, scopes: tuple[Any, ...], more: dict[str, Any]
    ) -> None:
        with pytest.raises((TypeError, ValueError)):
            FlaskGuard(guard, Flask(__name__)).require(*scopes, **more)

    @spec("RSG-10")
    def test_a_decorator_without_its_parentheses(self, guard: Guard) -> None:
        with pytest.raises(TypeError):
            FlaskGuard(guard, Flask(__name__)).require(lambda: "open")  # type: ignore[arg-type]

    @spec("RSG-10", "P5")
    def test_a_guard_that_can_ask_nobody_does_not_pretend_to(self, issuer: Issuer) -> None:
        alone = issuer.guard(client_id=None, client_secret=None)

        with pytest.raises(ValueError, match="offline"):
            alone.need(SCOPE)
        assert alone.need(SCOPE, freshness="offline").scope == SCOPE
        with pytest.raises(TypeError):
            issuer.guard(client_secret=None)

    @pytest.mark.parametrize("need", [None, "notes:read", ["notes:read"], 5])
    def test_a_middleware_without_a_need(self, guard: Guard, need: Any) -> None:
        for door in (WsgiGuard, AsgiGuard):
            with pytest.raises(TypeError):
                door(lambda *_: [], guard, need)  # type: ignore[arg-type, return-value, operator]

    @pytest.mark.parametrize(
        "more", [{"max_silence": 0}, {"introspection_cache": -1}, {"most_tokens": 0}]
    )
    def test_a_limit_that_is_none(self, issuer: Issuer, more: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="limit"):
            issuer.guard(**more)

    def test_an_audience_that_no_challenge_can_carry(self) -> None:
        with pytest.raises(ValueError, match="challenge"):
            Guard(URL, 'https://api.test/"')


def choose(guard: Guard) -> Any:
    """Reading is open to who may read; writing asks for more; health is for anybody."""
    needs = {"GET": guard.need(SCOPE), "POST": guard.need("notes:write")}

    def need(method: str, path: str) -> Need | None:
        return None if path == "/health" else needs.get(method, needs["POST"])

    return need


class TestWsgi:
    @pytest.fixture
    def http(self, guard: Guard) -> WsgiClient:
        def application(environ: Any, start_response: Any) -> list[bytes]:
            start_response("200 OK", [("Content-Type", "application/json")])
            access = environ.get("idp.access")
            said = {"sub": access and access.sub}
            said["override"] = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE")
            return [json.dumps(said).encode()]

        return WsgiClient(WsgiGuard(application, guard, choose(guard), debug=True))

    @spec("RSG-14")
    @pytest.mark.parametrize("method", METHODS)
    def test_nothing_gets_past(self, http: WsgiClient, method: str) -> None:
        assert http.open("/v1/notes", method=method).status_code == 401

    @spec("RSG-14")
    def test_what_is_judged_is_what_happens(self, issuer: Issuer, http: WsgiClient) -> None:
        headers = bearer(issuer.token()) | {"X-HTTP-Method-Override": "POST"}

        answer = http.get("/v1/notes", headers=headers)

        assert answer.json == {"sub": "ann", "override": None}
        assert answer.headers["Guard-Freshness"].startswith("feed")
        assert http.post("/v1/notes", headers=bearer(issuer.token())).status_code == 403

    def test_what_is_open_is_open_and_the_metadata_are_served(self, http: WsgiClient) -> None:
        assert http.get("/health").json == {"sub": None, "override": None}
        assert http.get(WELL_KNOWN).json["resource"] == API
        assert http.post(WELL_KNOWN).status_code == 401

    def test_a_fault_in_the_guard_lets_nobody_in(self, guard: Guard) -> None:
        def broken(_method: str, _path: str) -> Need:
            raise RuntimeError("broken")

        with pytest.raises(RuntimeError):
            WsgiClient(WsgiGuard(lambda *_: [b"in"], guard, broken)).get("/")


class Asgi:
    """A little ASGI server: one request, and what was sent back."""

    def __init__(self, guard: Guard) -> None:
        self.reached: list[Any] = []
        self.guard = AsgiGuard(self._application, guard, choose(guard), debug=True)

    async def _application(self, scope: Any, _receive: Any, send: Any) -> None:
        self.reached.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in"})
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})

    async def open(self, path: str = "/v1/notes", kind: str = "http", **headers: str) -> Any:
        sent: list[Any] = []
        scope = {"type": kind, "path": path, "query_string": b"", "idp.access": "forged"}
        scope["headers"] = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        if kind == "http":
            scope["method"] = "GET"

        async def receive() -> Any:
            return {"type": f"{kind}.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.guard(scope, receive, send)
        return sent

    def get(self, path: str = "/v1/notes", kind: str = "http", **headers: str) -> Any:
        return asyncio.run(self.open(path, kind, **headers))


class TestAsgi:
    @pytest.fixture
    def http(self, guard: Guard) -> Asgi:
        return Asgi(guard)

    @spec("RSG-14", "RSG-02")
    def test_nothing_gets_past(self, issuer: Issuer, http: Asgi) -> None:
        refused = http.get()
        let_in = http.get(**bearer(issuer.token()))

        assert (refused[0]["status"], refused[1]["body"]) == (401, b"{}")
        assert b"www-authenticate" in dict(refused[0]["headers"])
        assert (let_in[0]["status"], let_in[1]["body"]) == (200, b"in")
        assert dict(let_in[0]["headers"])[b"guard-freshness"].startswith(b"feed")
        assert [scope["idp.access"].sub for scope in http.reached] == ["ann"]

    @spec("RSG-14")
    def test_a_websocket_is_closed_before_it_is_open(self, issuer: Issuer, http: Asgi) -> None:
        assert http.get(kind="websocket") == [{"type": "websocket.close", "code": 1008}]
        let_in = http.get(kind="websocket", **bearer(issuer.token()))

        assert let_in[0]["type"] == "websocket.accept"
        assert len(http.reached) == 1

    def test_what_is_open_is_open_and_what_only_servers_say_is_passed_on(self, http: Asgi) -> None:
        assert http.get("/health")[0]["status"] == 200
        assert json.loads(http.get(WELL_KNOWN)[1]["body"])["resource"] == API
        assert http.get(kind="lifespan") == []
        assert "idp.access" not in http.reached[0]

    def test_the_loop_goes_on_while_the_issuer_is_asked(self, issuer: Issuer, http: Asgi) -> None:
        slow = issuer.answer
        beats: list[int] = []
        issuer.faults["/introspect"] = lambda request: _slowly(issuer, slow, request)
        token = issuer.token(policies=["sliding"])

        async def both() -> Any:
            asking = asyncio.create_task(http.open(**bearer(token)))
            while not asking.done():
                beats.append(1)
                await asyncio.sleep(0.005)
            return await asking

        answer = asyncio.run(both())

        assert answer[0]["status"] == 200
        assert len(beats) > 3


def _slowly(issuer: Issuer, answer: Any, request: Any) -> Any:
    import time

    time.sleep(0.1)
    del issuer.faults["/introspect"]
    return answer(request)


def test_every_challenge_can_be_read_by_a_parser(issuer: Issuer, guard: Guard) -> None:
    app = Flask(__name__)
    fence = FlaskGuard(guard, app)
    app.add_url_rule(
        "/v1/x", view_func=fence.require("a:b", acr_values=["phr"], max_age=5)(lambda: "in")
    )
    for token in ("x.y.z", issuer.token(), issuer.token(scope="a:b")):
        challenge = app.test_client().get("/v1/x", headers=bearer(token))
        text = challenge.headers["WWW-Authenticate"]
        assert re.fullmatch(r'Bearer \w+="[^"]*"(, \w+="[^"]*")*', text)
