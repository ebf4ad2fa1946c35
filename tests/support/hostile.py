"""A provider that lies when told to: discovery, keys, tokens and userinfo on loopback.

By itself it is honest. A test changes what the ID token claims, how it is signed, or what an
endpoint answers, and looks whether the relying party notices.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from werkzeug.serving import make_server

from tests.support.served import Quiet

EVENT = "http://schemas.openid.net/event/backchannel-logout"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig", "alg": "RS256"})
ACCESS_TOKEN = "an access token nobody can read"
REFRESH_TOKEN = "a refresh token nobody can read"

Claims = dict[str, Any]


@dataclass
class Hostile:
    """What it serves, and what was asked of it."""

    url: str = ""
    client_id: str = "the-app"
    secret: str = "the app's secret"
    nonce: str = ""
    sub: str = field(default_factory=lambda: f"person-{secrets.token_hex(4)}")
    sid: str = field(default_factory=lambda: f"session-{secrets.token_hex(4)}")
    claims: Claims = field(default_factory=dict)
    header: Claims = field(default_factory=dict)
    key: Key = field(default_factory=lambda: RSA)
    metadata: Claims = field(default_factory=dict)
    published: list[Key] = field(default_factory=lambda: [RSA, EC])
    tokens: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    before_answer: Callable[[], None] = lambda: None
    status: int = 200
    presented: list[str] = field(default_factory=list)
    asked: list[Claims] = field(default_factory=list)
    jwks_asked: int = 0

    def sign(self, claims: Claims, **header: Any) -> str:
        """Sign as told; a value of None leaves the member out."""
        named = {"alg": self.key.alg, "kid": self.key.kid} | header | self.header
        said = {name: value for name, value in claims.items() if value is not None}
        kept = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(kept, said, self.key, algorithms=[str(named["alg"])])

    def honest(self) -> None:
        """As if nothing had happened, with another person."""
        vars(self).update(vars(Hostile(url=self.url)))

    def id_token(self, **more: Any) -> str:
        now = int(time.time())
        half = hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16]
        claims: Claims = {
            "iss": self.url,
            "sub": self.sub,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "sid": self.sid,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        return self.sign(claims | self.claims | more, typ="JWT")

    def logout_token(self, **more: Any) -> str:
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {EVENT: {}},
            "sid": self.sid,
            "sub": self.sub,
        }
        return self.sign(claims | more, typ="logout+jwt")

    def as_app(self) -> Flask:
        app = Flask("hostile")
        app.add_url_rule("/.well-known/openid-configuration", "metadata", self._metadata)
        app.add_url_rule("/jwks", "jwks", self._jwks)
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        app.add_url_rule(
            "/userinfo", "userinfo", lambda: jsonify({"sub": self.sub} | self.userinfo)
        )
        app.add_url_rule("/api/notes", "api", self._api)
        return app

    def _api(self) -> Response:
        """An API beside it, only to see which token it is called with."""
        self.presented.append(request.headers["Authorization"].removeprefix("Bearer "))
        return jsonify({})

    def _metadata(self) -> Response:
        names = {"authorization": "authorize", "end_session": "end_session"}
        names |= {"token": "token", "userinfo": "userinfo"}
        found = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in names.items()}
        return jsonify({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"} | found | self.metadata)

    def _jwks(self) -> Response:
        self.jwks_asked += 1
        return jsonify(keys=[key.as_dict(private=False) for key in self.published])

    def _token(self) -> Response:
        self.asked.append(request.form.to_dict())
        self.before_answer()
        given = {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300}
        if request.form["grant_type"] == "authorization_code":
            given |= {"id_token": self.id_token(), "refresh_token": REFRESH_TOKEN}
        response = jsonify({k: v for k, v in (given | self.tokens).items() if v is not None})
        response.status_code = self.status
        return response


@contextmanager
def listening(hostile: Hostile) -> Iterator[Hostile]:
    """On a free port, from now until the end of the block."""
    app = hostile.as_app()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    hostile.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hostile
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def unsigned(claims: Claims, typ: str) -> str:
    """A token with `alg` none and no signature."""
    import json

    parts = [{"alg": "none", "typ": typ}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, b""]).decode()


def secret_key(secret: str) -> OctKey:
    """The client's secret as an HMAC key, as in a confusion of algorithms."""
    return OctKey.import_key(secret, {"kid": "rsa", "alg": "HS256"})
