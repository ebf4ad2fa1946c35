"""An assembled provider on a real database, with a clock that stands still."""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.domain import Provider
from idp.settings import load
from idp.store import db
from tests.support import shared

PASSWORD = "four words that nobody guesses"
CALLBACK = "https://rp.test/callback"
API = "https://api.test"


@dataclass
class Clock:
    """Time that moves only when told to."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Rp:
    """A relying party as the tests play it."""

    world: "World"
    client_id: str
    secret: str | None
    redirect_uri: str = CALLBACK

    def auth(self) -> dict[str, Any]:
        """Its client authentication for the test client."""
        if self.secret is None:
            return {}
        return {"auth": (self.client_id, self.secret)}

    def post(self, path: str, **form: Any) -> TestResponse:
        """Call an endpoint as this client."""
        form = {k: v for k, v in form.items() if v is not None}
        if self.secret is None:
            form.setdefault("client_id", self.client_id)
        return self.world.http().post(path, data=form, **self.auth())

    def redeem(self, code: str, verifier: str | None, **more: Any) -> TestResponse:
        """Exchange a code."""
        form = {"redirect_uri": self.redirect_uri} | more
        return self.post(
            "/token", grant_type="authorization_code", code=code, code_verifier=verifier, **form
        )

    def refresh(self, token: str, **more: Any) -> TestResponse:
        """Use a refresh token."""
        return self.post("/token", grant_type="refresh_token", refresh_token=token, **more)

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask about a token."""
        answer: dict[str, Any] = self.post("/introspect", token=token).json
        return answer


@dataclass
class Browser:
    """A person's browser: cookies, forms and redirects."""

    world: "World"
    http: FlaskClient
    verifier: str = ""

    def authorize(self, rp: Rp, **more: Any) -> TestResponse:
        """Go to /authorize as an app would send one."""
        self.verifier = secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "client_id": rp.client_id,
            "redirect_uri": rp.redirect_uri,
            "response_type": "code",
            "scope": "openid",
            "state": "st4te",
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        } | more
        pairs = {k: v for k, v in query.items() if v is not None}
        return self.http.get("/authorize?" + urlencode(pairs, doseq=True))

    def submit(self, page: TestResponse, path: str, **fields: str) -> TestResponse:
        """Fill in the form of a page that posts to this path."""
        form = hidden(page.text, path) | fields
        return self.http.post(path, data=form)

    def sign_in(self, username: str = "alice", password: str = PASSWORD) -> TestResponse:
        """Sign in at the provider itself."""
        return self.submit(
            self.http.get("/sign-in"), "/sign-in", username=username, password=password
        )

    def follow(self, answer: TestResponse, username: str = "alice") -> TestResponse:
        """Do whatever the pages ask for, until the browser is sent away."""
        for _ in range(8):
            location = answer.headers.get("Location", "")
            if answer.status_code not in (302, 303):
                if 'id="login-submit"' in answer.text:
                    answer = self.submit(answer, "/sign-in", username=username, password=PASSWORD)
                elif 'id="consent-allow"' in answer.text:
                    answer = self.submit(answer, "/consent", answer="allow")
                else:
                    return answer
            elif location.startswith("/"):
                answer = self.http.get(location)
            else:
                return answer
        raise AssertionError("the pages go round in circles")

    def code(self, rp: Rp, **more: Any) -> str:
        """Sign in and consent as needed; the code that comes back."""
        return returned(self.follow(self.authorize(rp, **more)))["code"]

    def tokens(self, rp: Rp, **more: Any) -> dict[str, Any]:
        """The whole way: what the token endpoint gave."""
        code = self.code(rp, **more)
        answer = rp.redeem(code, self.verifier)
        assert answer.status_code == 200, answer.text
        given: dict[str, Any] = answer.json
        return given


@dataclass
class World:
    """The provider, its clock, its people and its clients."""

    app: Flask
    clock: Clock

    @property
    def op(self) -> Provider:
        op: Provider = self.app.extensions["idp"]
        return op

    def http(self) -> FlaskClient:
        return self.app.test_client(use_cookies=False)

    def browser(self) -> Browser:
        return Browser(self, self.app.test_client())

    def person(self, username: str = "alice", **claims: Any) -> str:
        """Somebody with an account; returns their `sub`."""
        with self.app.app_context():
            row = self.op.accounts.create(username, None, claims, self.clock.now)
            row.password_hash = shared.hashed(PASSWORD)
            row.password_changed_at = self.clock.now
            db.session.commit()
            return row.id

    def rp(self, name: str = "Notes", *, trusted: bool = True, **more: Any) -> Rp:
        """A client an operator has added."""
        serves = more.pop("serves", ())
        details = {
            "client_name": name,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
        } | more
        with self.app.app_context():
            view, secret = self.op.clients.add(
                details, trusted=trusted, serves=serves, now=self.clock.now
            )
            db.session.commit()
        return Rp(self, view.client_id, secret, details["redirect_uris"][0])

    def machine(self, name: str = "Robot", **more: Any) -> Rp:
        """A client that acts for itself."""
        return self.rp(name, redirect_uris=["https://unused.test"], **more)

    def api(self, identifier: str = API, **scopes: str) -> Rp:
        """An API, and the client it is at the introspection endpoint."""
        with self.app.app_context():
            self.op.resources.add(identifier, "API", scopes, (), self.clock.now)
            view, secret = self.op.clients.add(
                {"client_name": "API", "grant_types": ["client_credentials"]},
                serves=[identifier],
                now=self.clock.now,
            )
            db.session.commit()
        return Rp(self, view.client_id, secret)

    def userinfo(self, token: str) -> TestResponse:
        return self.http().get("/userinfo", headers={"Authorization": f"Bearer {token}"})


def make_world(
    data_dir: Path, database_url: str = "", clock: Clock | None = None, **settings: str
) -> World:
    """A provider on an empty database of its own."""
    environ = {
        "IDP_DATA_DIR": str(data_dir),
        "IDP_ISSUER": "https://op.test",
        "IDP_SECRET": "a secret that is only good for tests, and long",
        "IDP_REGISTRATION__MODE": "open",
    } | settings
    if database_url:
        environ["IDP_DATABASE_URL"] = database_url
    clock = clock or Clock()
    app = create_app(load(environ=environ), clock)
    app.testing = True
    app.jinja_env.bytecode_cache = shared.pages
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.app_context():
        shared.lay_tables()
        shared.provide_keys(app.extensions["idp"], environ["IDP_SECRET"], clock.now)
    return World(app, clock)


def returned(answer: TestResponse) -> dict[str, str]:
    """The parameters the browser was sent back with, in the address or behind it."""
    address = urlsplit(answer.headers["Location"])
    said = parse_qs(address.fragment or address.query, keep_blank_values=True)
    return {name: values[0] for name, values in said.items()}


def hidden(page: str, path: str) -> dict[str, str]:
    """The hidden fields of the form that posts to a path."""
    form = re.search(rf'<form[^>]*action="{re.escape(path)}".*?</form>', page, re.S)
    assert form is not None, f"no form for {path} on the page"
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form.group())
    return dict(fields)
