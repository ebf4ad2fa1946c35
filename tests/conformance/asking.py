"""A client that does what the modules of FAPI-CIBA do, and checks every answer (B.11)."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.test import TestResponse

from certify.hooks import answer_request
from idp.store import db
from tests.conformance import checks, registration
from tests.conformance.checks import Json
from tests.conformance.listener import Listener
from tests.conformance.plans import Variant
from tests.support.ciba import CIBA
from tests.support.world import World

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROXY = {"REMOTE_ADDR": "127.0.0.1"}
NOTIFIED = "/ciba-notification-endpoint"


@dataclass(frozen=True)
class Holding:
    """What a client of the suite holds: a key, and a certificate for it."""

    key: RSAKey
    certificate: x509.Certificate

    @property
    def header(self) -> dict[str, str]:
        """The certificate as the proxy hands it on."""
        pem = self.certificate.public_bytes(Encoding.PEM).decode()
        return {"Client-Cert": quote(pem, safe="")}

    @property
    def jwks(self) -> Json:
        der = self.certificate.public_bytes(Encoding.DER)
        public = self.key.as_dict(private=False, use="sig", alg="PS256")
        return {"keys": [public | {"x5c": [base64.b64encode(der).decode()]}]}


@cache
def holding(name: str) -> Holding:
    """Made once for all modules, as the suite's configuration has them."""
    key, now = rsa.generate_private_key(65537, 2048), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=30),
    ).sign(key, hashes.SHA256())
    return Holding(RSAKey.import_key(key, {"kid": name}), made)


@dataclass
class Asking:
    """One client in one run of a module; `number` is the suite's own number for it."""

    world: World
    variant: Variant
    suite: Listener
    number: int = 1
    metadata: Json = field(default_factory=dict)
    document: Json = field(init=False)
    client: Json = field(init=False)
    held: Holding = field(init=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    asked: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        http = self.world.http()
        self.document = checks.discovery(http.get("/.well-known/openid-configuration"))
        self.held = holding(f"client{self.number}")
        self.client = self.registered()

    @property
    def issuer(self) -> str:
        return self.world.op.rules.issuer

    @property
    def ping(self) -> bool:
        return "ping" in self.variant.more

    def registered(self) -> Json:
        """By registration as the suite does it, or made by an operator."""
        body = {
            "client_name": f"suite ciba {self.number}",
            "jwks": self.held.jwks,
            "grant_types": [CIBA],
            "response_types": [],
            "backchannel_user_code_parameter": False,
            "backchannel_token_delivery_mode": "ping" if self.ping else "poll",
            "backchannel_authentication_request_signing_alg": "PS256",
            "id_token_signed_response_alg": "PS256",
            "token_endpoint_auth_method": self.variant.client_auth,
            "tls_client_certificate_bound_access_tokens": True,
        } | self.metadata
        if self.ping:
            body["backchannel_client_notification_endpoint"] = f"{self.suite.url}{NOTIFIED}"
        if self.variant.client_auth == "private_key_jwt":
            body["token_endpoint_auth_signing_alg"] = "PS256"
        if self.variant.registration == "static":
            return registration.static(self.world, body)
        answer = self.world.http().post("/register", json=body)
        return registration.registered(answer, self.issuer)

    def signed(self, claims: Json, alg: str = "PS256", by: Holding | None = None) -> str:
        """A JWT of the suite."""
        key = (by or self.held).key
        known = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": alg, "kid": key.kid}, known, key, algorithms=[alg])

    def claims(self, **changed: Any) -> Json:
        """What a request object says; None leaves a claim out."""
        now = int(self.world.clock.now.timestamp())
        said: Json = {
            "iss": self.client["client_id"],
            "aud": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            "scope": "openid",
            "login_hint": "foo",
            "binding_message": "1234",
        }
        if self.ping:
            said["client_notification_token"] = self.token
        if self.number == 2:
            said |= {"requested_expiry": 300, "acr_values": "pwd"}
        return said | changed

    def requests(self, request: str | None = None, **form: Any) -> TestResponse:
        """Call the backchannel endpoint; whatever the answer is."""
        form = {"request": request or self.signed(self.claims())} | form
        return self.calls("backchannel_authentication_endpoint", **form)

    def asks(self, **changed: Any) -> Json:
        """A request that is good, and its answer, checked."""
        answer = self.requests(self.signed(self.claims(**changed)))
        assert answer.status_code == 200, answer.text
        assert answer.mimetype == "application/json"
        assert set(answer.json) <= {"auth_req_id", "expires_in", "interval"}
        checks.lives(answer.json["expires_in"])
        assert checks.bits(answer.json["auth_req_id"]) > 160
        assert 0 <= answer.json.get("interval", 0) <= 6 * 3600
        self.asked = answer.json
        return self.asked

    def calls(self, endpoint: str, *, certified: bool = True, **form: Any) -> TestResponse:
        """Call an endpoint at its alias, as the suite does."""
        address = self.document["mtls_endpoint_aliases"][endpoint]
        proof = self.proof(address) | form
        sent = {name: value for name, value in proof.items() if value is not None}
        headers = self.held.header if certified else {}
        path = address.removeprefix(self.world.op.rules.mtls_origin)
        return self.world.http().post(path, data=sent, headers=headers, environ_overrides=PROXY)

    def proof(self, audience: str, **more: Any) -> Json:
        """How the client proves itself: by an assertion, or by its certificate alone."""
        if self.variant.client_auth != "private_key_jwt":
            return {"client_id": self.client["client_id"]}
        return {
            "client_assertion_type": ASSERTION,
            "client_assertion": self.assertion(audience, **more),
        }

    def assertion(self, audience: str, alg: str = "PS256") -> str:
        now = int(self.world.clock.now.timestamp())
        said = {
            "iss": self.client["client_id"],
            "sub": self.client["client_id"],
            "aud": audience,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
        }
        return self.signed(said, alg)

    def polls(self, auth_req_id: str = "", **form: Any) -> TestResponse:
        """Ask for the tokens."""
        handle = auth_req_id or self.asked["auth_req_id"]
        return self.calls("token_endpoint", grant_type=CIBA, auth_req_id=handle, **form)

    def waits(self) -> None:
        """A poll that is too early, checked; then the time until the next."""
        checks.error(self.polls(), "authorization_pending", "slow_down")
        self.world.clock.advance(seconds=10)

    def is_answered(self, action: str = "allow") -> None:
        """The hook of conformance C.6 answers in the person's place; then the ping comes."""
        with self.world.app.app_context():
            handle = self.asked["auth_req_id"]
            assert answer_request(self.world.op, handle, action, self.world.clock.now)
            db.session.commit()
        if self.ping:
            self.is_pinged()

    def is_pinged(self) -> None:
        """What is due is sent; the newest ping is as it must be (section 10.2)."""
        self.delivers()
        ping = self.suite.told[-1]
        assert ping.path == NOTIFIED
        assert ping.headers["Authorization"] == f"Bearer {self.token}"
        assert ping.headers["Content-Type"] == "application/json"
        assert ping.body == f'{{"auth_req_id": "{self.asked["auth_req_id"]}"}}'

    def delivers(self) -> None:
        """The worker's turn."""
        with self.world.app.app_context():
            self.world.app.extensions["idp.courier"].run_once()

    def tokens(self) -> tuple[Json, Json]:
        """The tokens, checked, and what the ID token says."""
        given = checks.token_response(self.polls())
        return given, self.identity(given["id_token"])

    def identity(self, id_token: str) -> Json:
        keys = KeySet.import_key_set(self.world.http().get("/jwks.json").json)
        read = jwt.decode(id_token, keys, algorithms=["PS256"])
        said = dict(read.claims)
        assert read.header["kid"]
        assert (said["iss"], said["aud"]) == (self.issuer, self.client["client_id"])
        checks.times(said, self.world.clock.now)
        assert set(said) <= checks.PROTOCOL - {"c_hash", "s_hash", "nonce"}
        return said

    def resource(self, token: str, *, certified: bool = True, **headers: str) -> TestResponse:
        """Call the API of the set-up with a token."""
        mine = self.held.header if certified else {}
        return self.world.http().get(
            "/resource",
            headers={"Authorization": f"Bearer {token}"} | mine | headers,
            environ_overrides=PROXY,
        )

    def signs_in(self) -> tuple[Json, Json]:
        """The whole way."""
        self.asks()
        self.waits()
        self.is_answered()
        return self.tokens()
