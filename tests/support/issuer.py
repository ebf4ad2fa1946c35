"""An issuer of the tests' own, as a guard sees one: keys, introspection and a feed.

It can be told to lie, to be silent, to lose its epoch: whatever a guard must survive.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx

from idp.crypto import jose
from idp.crypto.jose import Signer
from idp.guard import Guard, Refused
from idp.policies.feed import key

URL = "https://issuer.test"
API = "https://api.test/v1"
SCOPE = "notes:read"
LONGEST_WAIT = 0.05  # so that no test waits for a poll that nobody needs any more

Fault = Callable[[httpx.Request], httpx.Response]


@dataclass
class Time:
    """A wall clock and a count of seconds, both of which move only when told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    passed: float = 1000.0

    def clock(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.passed

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed += seconds


class Issuer:
    """Somebody else's server. `faults` replace an answer, by path."""

    def __init__(self, clock: Time) -> None:
        self.time = clock
        self.signers = [Signer("k1", "ES256", jose.generate("ES256"))]
        self.epoch, self.rows, self.policies = "e1", list[list[int | None]](), list[str]()
        self.max_silence, self.batch = 3.0, 10_000
        self.handles: dict[str, dict[str, Any]] = {}
        self.inactive: set[str] = set()
        self.more: dict[str, Any] = {}
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.polls: list[dict[str, str]] = []
        self._numbers = count()
        self._news = threading.Condition()

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def guard(self, **more: Any) -> Guard:
        """A guard that knows nobody but us."""
        given: dict[str, Any] = {"client_id": "api", "client_secret": "secret"} | more
        return Guard(
            URL, API, http=self.http, clock=self.time.clock, ticks=self.time.ticks, **given
        )

    def claims(self, **more: Any) -> dict[str, Any]:
        """What a good token says; None leaves a claim out."""
        issued = int(self.time.now.timestamp())
        said = {"iss": URL, "aud": API, "sub": "ann", "client_id": "rp", "scope": SCOPE}
        said |= {"jti": f"j{next(self._numbers)}", "sid": "s1", "line": "l1", "gen": 3}
        said |= {"iat": issued, "exp": issued + 300, "auth_time": issued} | more
        return {name: value for name, value in said.items() if value is not None}

    def token(self, typ: str = "at+jwt", signer: Signer | None = None, **more: Any) -> str:
        """A signed token."""
        return jose.sign(signer or self.signers[0], self.claims(**more), typ=typ)

    def handle(self, name: str = "at_handle-one", **more: Any) -> str:
        """A token that only we can read."""
        self.handles[name] = self.claims(**more)
        return name

    def end(
        self, kind: str, subject: str, generation: int | None = None, within: int = 3600
    ) -> None:
        """One more row of the feed."""
        until = int(self.time.now.timestamp()) + within
        with self._news:
            self.rows.append([key(kind, subject), until, generation])
            self._news.notify_all()

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked[path] += 1
        if path in self.faults:
            return self.faults[path](request)
        answers = {
            "/.well-known/openid-configuration": self._metadata,
            "/jwks.json": self._jwks,
            "/introspect": self._introspect,
            "/feed": self._feed,
        }
        return httpx.Response(200, json=answers[path](request))

    def _metadata(self, _request: httpx.Request) -> dict[str, Any]:
        ends = {"jwks_uri": f"{URL}/jwks.json", "introspection_endpoint": f"{URL}/introspect"}
        return {"issuer": URL} | ends

    def _jwks(self, _request: httpx.Request) -> dict[str, Any]:
        keys = [{**s.key.as_dict(private=False), "kid": s.kid} for s in self.signers]
        return {"keys": [{**jwk, "alg": s.alg} for jwk, s in zip(keys, self.signers, strict=True)]}

    def _introspect(self, request: httpx.Request) -> dict[str, Any]:
        token = dict(httpx.QueryParams(request.content.decode()))["token"]
        said = self.handles.get(token)
        if said is None and token.count(".") == 2:
            said = jose.claims_of(token)
        if said is None or said["jti"] in self.inactive:
            return {"active": False}
        return {"active": True} | said | self.more

    def _feed(self, request: httpx.Request) -> dict[str, Any]:
        asked = dict(request.url.params)
        self.polls.append(asked)
        patience = min(LONGEST_WAIT, int(asked["wait"]) / 1000)
        after, ends = self._after(asked), time.monotonic() + patience
        began = time.monotonic()
        with self._news:
            while len(self.rows) <= after and time.monotonic() < ends:
                self._news.wait(max(0.0, ends - time.monotonic()))
            to = min(len(self.rows), after + self.batch)
            rows = [list(row) for row in self.rows[after:to]]
        said = {"epoch": self.epoch, "from": after, "to": to, "head": len(self.rows)}
        return said | {
            "rows": rows,
            "waited": int((time.monotonic() - began) * 1000),
            "policies": {API: self.policies},
            "max_silence": self.max_silence,
        }

    def _after(self, asked: dict[str, str]) -> int:
        after = int(asked.get("after", 0))
        return after if asked.get("epoch") == self.epoch and after <= len(self.rows) else 0


def call(guard: Guard, token: str, scopes: tuple[str, ...] = (SCOPE,), **more: Any) -> Any:
    """One call of the API with this token."""
    arrival = {"method": "GET", "url": "/v1/notes"} | more
    return guard.check([f"Bearer {token}"], scopes, **arrival)


def refusal(guard: Guard, token: str, scopes: tuple[str, ...] = (SCOPE,), **more: Any) -> Refused:
    """The same, and it must be refused."""
    try:
        call(guard, token, scopes, **more)
    except Refused as refused:
        return refused
    raise AssertionError("the token was let through")


def wait_until(true: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait for what another thread does."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


def silent(_request: httpx.Request) -> httpx.Response:
    """Nobody there."""
    raise httpx.ConnectError("nobody there")


def says(status: int = 200, body: object = None) -> Fault:
    """Always this answer."""
    return lambda _request: httpx.Response(status, content=json.dumps(body))
