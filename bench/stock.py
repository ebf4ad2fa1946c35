"""What the flows are about: clients, an API, people who are signed in, and tokens to spend."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from flask import Flask

from idp.app import create_app
from idp.crypto.confirmation import UNBOUND
from idp.domain import Provider
from idp.domain.grants import Allowance, Line
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.sessions import Session
from idp.protocol.claims import access_token, aim, client_access_token
from idp.settings import load
from idp.store import db

API = "https://api.bench.test"
SCOPE = "orders:read"
CALLBACK = "https://rp.bench.test/callback"
PEOPLE = 50
OPENID = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Member:
    """A client with a secret."""

    client_id: str
    secret: str

    @property
    def basic(self) -> str:
        """Its Authorization header; both halves need no form-encoding."""
        return "Basic " + b64encode(f"{self.client_id}:{self.secret}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in and has consented, and the cookie of their browser."""

    cookie: str
    session: Session
    grant_id: str


class Stock:
    """Fills one store through the domain, beside the running provider."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.app: Flask = create_app(load(environ=environ))
        self.op: Provider = self.app.extensions["idp"]
        with self.app.app_context():
            self.op.resources.add(API, "API", {SCOPE: "Read orders"}, (), _now())
            self.robot = self._client(grant_types=["client_credentials"])
            self.api = self._client(serves=[API], grant_types=["client_credentials"])
            self.rp = self._client(redirect_uris=[CALLBACK])
            self.people = [self._person(number) for number in range(PEOPLE)]
            db.session.commit()

    def lines(self, count: int, scopes: tuple[str, ...], resources: tuple[str, ...]) -> list[str]:
        """Fresh refresh tokens, each the first of its line."""
        with self.app.app_context():
            found = [self._line(p, scopes, resources)[1] for p in self._some(count)]
            db.session.commit()
        return found

    def access_tokens(
        self, count: int, scopes: tuple[str, ...], resources: tuple[str, ...]
    ) -> list[str]:
        """Fresh access tokens of people, each of a line of its own."""
        return [token for _, token in self.pairs(count, scopes, resources)]

    def pairs(
        self, count: int, scopes: tuple[str, ...], resources: tuple[str, ...]
    ) -> list[tuple[str, str]]:
        """Fresh refresh tokens, each with an access token of its line."""
        with self.app.app_context():
            found = []
            for person in self._some(count):
                line, refresh = self._line(person, scopes, resources)
                view = self.op.clients.get(self.rp.client_id)
                aimed = aim(self.op, view, scopes, line.resources, (), UNBOUND)
                found.append((refresh, access_token(self.op, line, aimed, _now()).value))
            db.session.commit()
        return found

    def client_tokens(self, count: int) -> list[str]:
        """Fresh access tokens of the client that acts for itself."""
        with self.app.app_context():
            view = self.op.clients.get(self.robot.client_id)
            aimed = aim(self.op, view, (SCOPE,), (API,), (API,), UNBOUND)
            minted = [client_access_token(self.op, view, aimed, _now()) for _ in range(count)]
        return [token.value for token in minted]

    def close(self) -> None:
        """Let the database go."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def _some(self, count: int) -> list[Person]:
        return [person for _, person in zip(range(count), cycle(self.people), strict=False)]

    def _client(self, serves: Sequence[str] = (), **details: Any) -> Member:  # noqa: ANN401
        kept = {"client_name": "Bench"} | details
        if "redirect_uris" in kept:
            kept["grant_types"] = ["authorization_code", "refresh_token"]
        view, secret = self.op.clients.add(kept, serves=serves, now=_now())
        return Member(view.client_id, str(secret))

    def _person(self, number: int) -> Person:
        now, name = _now(), f"person{number}"
        claims = {"name": f"Person {number}", "email": f"{name}@bench.test"}
        account = self.op.accounts.create(name, None, claims, now)
        proof = Proof(account.id, ("pwd",), PASSWORD_ACR, now)
        session, cookie = self.op.sessions.open(
            proof, user_agent="bench", address="127.0.0.1", now=now
        )
        grant = self.op.grants.allow(
            account.id,
            self.rp.client_id,
            scopes=[*OPENID, SCOPE],
            resources=[API],
            claims=(),
            now=now,
        )
        return Person(cookie, session, grant.id)

    def _line(
        self, person: Person, scopes: tuple[str, ...], resources: tuple[str, ...]
    ) -> tuple[Line, str]:
        now, session = _now(), person.session
        view = self.op.clients.get(self.rp.client_id)
        participation = self.op.sessions.participate(session.id, session.account_id, view, now)
        allowance = Allowance(
            scopes=scopes,
            resources=resources,
            claims_request={},
            offline=False,
            auth_time=session.auth_time,
            acr=session.acr,
            amr=tuple(session.amr),
        )
        line, token = self.op.grants.start_line(person.grant_id, participation, allowance, now)
        self.op.grants.keep(token, line, now)
        return line, token


def _now() -> datetime:
    return datetime.now(UTC)
