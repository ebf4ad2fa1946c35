"""A relying party of the demo, in front of a provider that lies when told to."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from client_demo.settings import Site
from client_demo.site import create_app
from tests.support.hostile import Hostile, listening

HOME = "http://notes.test"


def flask_of(op: Hostile) -> Flask:
    """The app Notes, as a client of this provider."""
    return create_app(
        Site(
            name="Notes",
            url=HOME,
            issuer=op.url,
            client_id=op.client_id,
            client_secret=op.secret,
            api=f"{op.url}/api",
            scope="openid",
            other_name="Photos",
            other_url="http://photos.test",
        )
    )


@dataclass
class App:
    """The app, and the browsers that visit it."""

    op: Hostile
    flask: Flask
    http: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.browser()

    def browser(self) -> FlaskClient:
        return self.flask.test_client()

    def leaves(self, path: str = "/login", browser: FlaskClient | None = None) -> dict[str, str]:
        """Go off to the provider; what the browser carries there."""
        location = (browser or self.http).get(path).headers["Location"]
        assert location.startswith(f"{self.op.url}/authorize?")
        sent = {name: value for name, (value,) in parse_qs(urlsplit(location).query).items()}
        self.op.nonce = sent["nonce"]
        return sent

    def returns(self, browser: FlaskClient | None = None, **answer: str | None) -> TestResponse:
        """Come back with this answer."""
        given = {name: value for name, value in answer.items() if value is not None}
        return (browser or self.http).get("/callback", query_string=given)

    def signs_in(self, path: str = "/login", browser: FlaskClient | None = None) -> TestResponse:
        """The whole way, honestly answered unless the provider was told to lie."""
        sent = self.leaves(path, browser)
        return self.returns(browser, state=sent["state"], iss=self.op.url, code="c0de")

    def is_signed_in(self, browser: FlaskClient | None = None) -> bool:
        answer = (browser or self.http).get("/state").json
        found: bool = answer["signed_in"]
        return found

    def is_told(self, logout_token: str) -> TestResponse:
        """The provider's call to the back-channel address: no cookies."""
        return self.flask.test_client(use_cookies=False).post(
            "/backchannel-logout", data={"logout_token": logout_token}
        )

    def has_expired_token(self) -> None:
        """Sign in with an access token that must be renewed at the next call."""
        self.op.tokens = {"expires_in": 1, "expires_at": int(time.time()) + 1}
        self.signs_in()
        self.op.tokens = {}


@pytest.fixture(scope="session")
def first() -> Iterator[Hostile]:
    with listening(Hostile()) as made:
        yield made


@pytest.fixture(scope="session")
def second() -> Iterator[Hostile]:
    with listening(Hostile()) as made:
        yield made


@pytest.fixture(scope="session")
def served(first: Hostile) -> Flask:
    return flask_of(first)


@pytest.fixture
def op(first: Hostile) -> Hostile:
    """The provider of the app."""
    first.honest()
    return first


@pytest.fixture
def other_op(second: Hostile) -> Hostile:
    """A provider the app knows nothing of."""
    second.honest()
    return second


@pytest.fixture
def app(op: Hostile, served: Flask) -> App:
    return App(op, served)
