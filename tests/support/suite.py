"""The part of a certification suite: it registers, sends a browser, and checks every answer.

What every module demands is checked on the way, so that a test says only what is its own.
"""

import base64
import math
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.test import TestResponse

from tests.support.world import Browser, World

BASE = "https://suite.test/test/a/idp"
CALLBACK = f"{BASE}/callback"
AFTER_LOGOUT = f"{BASE}/post_logout_redirect"
KEY = RSAKey.generate_key(2048)
PROTOCOL = {
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "sid",
    "jti",
    "nbf",
}

Json = dict[str, Any]


@dataclass
class Module:
    """One run of one test module: clients of its own, and an empty cookie jar."""

    world: World
    metadata: Json = field(default_factory=dict)
    client: Json = field(default_factory=dict)
    browser: Browser = field(init=False)
    sent: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.browser = self.world.browser()
        self.client = self.registered()

    @property
    def issuer(self) -> str:
        return self.world.op.rules.issuer

    def registration(self) -> TestResponse:
        """Register as the suite does: no scope, and a key without a name (R-DCR-1)."""
        body = {
            "client_name": "suite idp-1",
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [AFTER_LOGOUT],
            "token_endpoint_auth_method": "client_secret_basic",
            "contacts": ["certification@example.com"],
            "jwks": {"keys": [without_kid(KEY)]},
            "a_member_nobody_knows": True,
        } | self.metadata
        return self.world.http().post(
            "/register", json={name: value for name, value in body.items() if value is not None}
        )

    def registered(self) -> Json:
        """A client, with an answer as it must be (R-DCR-2)."""
        answer = self.registration()
        assert answer.status_code == 201, answer.text
        assert answer.mimetype == "application/json"
        client: Json = answer.json
        assert client["client_id"]
        assert client["registration_client_uri"].startswith(f"{self.issuer}/")
        assert client["registration_access_token"]
        assert ("client_secret" in client) == ("client_secret_expires_at" in client)
        return client

    def goes(self, method: str = "GET", **asked: Any) -> TestResponse:
        """Send the browser to the authorization endpoint, and look at what is shown first."""
        self.sent = {
            "client_id": self.client["client_id"],
            "redirect_uri": self.metadata.get("redirect_uris", [CALLBACK])[0],
            "response_type": "code",
            "scope": "openid",
            "state": secrets.token_urlsafe(96),
            "nonce": secrets.token_urlsafe(12),
        } | asked
        self.sent = {name: value for name, value in self.sent.items() if value is not None}
        if method == "POST":
            return self.browser.http.post("/authorize", data=self.sent)
        return self.browser.http.get("/authorize", query_string=self.sent)

    def authorizes(self, method: str = "GET", **asked: Any) -> Json:
        """The whole way through the pages; the answer at the callback, checked (R-AZ)."""
        return self.comes_back(self.browser.follow(self.goes(method, **asked), "foo"))

    def comes_back(self, answer: TestResponse) -> Json:
        """What the browser brings to the callback: nothing that does not belong there."""
        location = answer.headers.get("Location", "")
        assert answer.status_code in (302, 303), answer.text
        assert location.startswith(self.sent["redirect_uri"]), location
        assert not urlsplit(location).fragment
        registered = parse_qsl(urlsplit(self.sent["redirect_uri"]).query)
        query = parse_qsl(urlsplit(location).query, keep_blank_values=True)
        assert query[: len(registered)] == registered
        said = dict(query[len(registered) :])
        assert said.get("state") == self.sent.get("state")
        assert said["iss"] == self.issuer
        allowed = {"code", "state", "iss"}
        if "error" in said:
            allowed = {"error", "error_description", "error_uri", "state", "iss"}
            assert is_plain(said["error"] + said.get("error_description", ""))
        assert set(said) <= allowed
        assert "code" not in said or bits(said["code"]) > 96
        return said

    def redeems(self, code: str, **more: Any) -> TestResponse:
        form = {"grant_type": "authorization_code", "code": code}
        return self.asks_token(**form, redirect_uri=self.sent["redirect_uri"], **more)

    def asks_token(self, client: Json | None = None, **form: Any) -> TestResponse:
        """Call the token endpoint with the registered client authentication."""
        client = client or self.client
        method = client["token_endpoint_auth_method"]
        names = {"client_id": client["client_id"]}
        if method == "client_secret_post":
            form |= names | {"client_secret": client["client_secret"]}
        if method == "private_key_jwt":
            form |= self.assertion()
        kind = {}
        if method == "client_secret_basic":
            kind = {"auth": (client["client_id"], client["client_secret"])}
        return self.world.http().post("/token", data=form, **kind)

    def assertion(self, key: RSAKey = KEY, **claims: Any) -> Json:
        """A client assertion as the suite makes it, for the token endpoint's address."""
        now = int(self.world.clock.now.timestamp())
        said = {
            "iss": self.client["client_id"],
            "sub": self.client["client_id"],
            "aud": f"{self.issuer}/token",
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "nbf": now,
            "exp": now + 60,
        } | claims
        header = {"alg": "RS256"} | ({"kid": key.kid} if key.kid else {})
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(header, said, key),
        }

    def tokens(self, code: str, **more: Any) -> Json:
        """What a code buys, checked (R-TK-1)."""
        answer = self.redeems(code, **more)
        assert answer.status_code == 200, answer.text
        return self.checked(answer)

    def checked(self, answer: TestResponse) -> Json:
        assert answer.mimetype == "application/json"
        assert "no-store" in answer.headers["Cache-Control"]
        given: Json = answer.json
        assert given["token_type"].lower() == "bearer"
        assert type(given["expires_in"]) is int
        assert 1 <= given["expires_in"] <= 31_536_000
        assert isinstance(given.get("scope", ""), str)
        assert bits(given["access_token"]) > 96
        return given

    def signs_in(self, **asked: Any) -> tuple[Json, Json]:
        """A whole sign-in: the tokens, and what the ID token says."""
        given = self.tokens(self.authorizes(**asked)["code"])
        return given, self.identity(given["id_token"])

    def identity(self, id_token: str, *, fresh: bool = True) -> Json:
        """The claims of an ID token, checked (R-ID)."""
        keys = KeySet.import_key_set(self.world.http().get("/jwks.json").json)
        alg = self.metadata.get("id_token_signed_response_alg", "RS256")
        read = jwt.decode(id_token, keys, algorithms=[alg])
        assert read.header["kid"]
        said = dict(read.claims)
        now = self.world.clock.now.timestamp()
        assert said["iss"] == self.issuer
        assert said["aud"] in (self.client["client_id"], [self.client["client_id"]])
        assert now < said["exp"] < now + 50 * 365 * 86400
        assert now - 300 <= said["iat"] <= now + 300
        assert now - 365 * 86400 <= said["auth_time"] <= now + 5
        assert isinstance(said["acr"], str)
        assert said["acr"]
        assert 0 < len(said["sub"]) <= 255
        assert said["sub"].isascii()
        if fresh:
            assert said.get("nonce") == self.sent.get("nonce")
        assert set(said) <= PROTOCOL
        return said

    def userinfo(self, token: str) -> TestResponse:
        return self.world.http().get("/userinfo", headers={"Authorization": f"Bearer {token}"})


def without_kid(key: RSAKey) -> Json:
    """The public half, as the suite registers it: without a name."""
    found = key.as_dict(private=False, use="sig", alg="RS256")
    return {name: value for name, value in found.items() if name != "kid"}


def is_plain(text: str) -> bool:
    """Whether an error has only the characters it may have (RFC 6749 section 5.2)."""
    return all(0x20 <= ord(char) <= 0x7E and char not in '"\\' for char in text)


def bits(handle: str) -> float:
    """How much chance there seems to be in a handle: entropy times length (R-AZ-9)."""
    counts = Counter(handle).values()
    return -sum(n * math.log2(n / len(handle)) for n in counts)


def unsigned(token: str) -> str:
    """The same claims with `alg` none and no signature."""
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."
