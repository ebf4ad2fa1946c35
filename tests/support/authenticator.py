"""An authenticator in software: it makes passkeys and signs, and lies when told to.

By itself it does what WebAuthn Level 2 section 6 asks. Every field of what it says can be
forged by name, so that a test reads: this answer, but from another origin.
"""

import base64
import json
import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ORIGIN = "https://op.test"
RP_ID = "op.test"
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40
GET, CREATE = "webauthn.get", "webauthn.create"
ES256 = -7


@dataclass
class Authenticator:
    """One passkey: its key pair, its id, whose it is, and how often it was used."""

    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    private: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: bytes = b""
    count: int = 0

    def create(self, options: dict[str, Any], **forged: Any) -> dict[str, Any]:
        """The answer to `navigator.credentials.create()`."""
        self.user_handle = unb64(options["user"]["id"])
        said = {"type": CREATE, "at": True, "public_key": self.cose()} | forged
        statement = {"fmt": said.get("fmt", "none"), "attStmt": said.get("statement", {})}
        attested = cbor2.dumps(statement | {"authData": self.data(said)})
        response = {
            "clientDataJSON": b64(client_data(options, said)),
            "attestationObject": b64(said.get("attestation", attested)),
            "transports": ["internal"],
        }
        return self._credential(response, said)

    def get(self, options: dict[str, Any], **forged: Any) -> dict[str, Any]:
        """The answer to `navigator.credentials.get()`."""
        said: dict[str, Any] = {"type": GET} | forged
        told, data = client_data(options, said), said.get("data", self.data(said))
        response = {
            "clientDataJSON": b64(told),
            "authenticatorData": b64(data),
            "signature": b64(said.get("signature", self.sign(data + sha256(told).digest()))),
            "userHandle": b64(said.get("user_handle", self.user_handle)),
        }
        return self._credential(response, said)

    def sign(self, message: bytes) -> bytes:
        """An ES256 signature as WebAuthn has it (ASN.1)."""
        return self.private.sign(message, ec.ECDSA(SHA256()))

    def cose(self, alg: int = ES256) -> dict[int, Any]:
        """The public half (RFC 9053 section 7.1.1)."""
        point = self.private.public_key().public_numbers()
        return {
            1: 2,
            3: alg,
            -1: 1,
            -2: point.x.to_bytes(32, "big"),
            -3: point.y.to_bytes(32, "big"),
        }

    def data(self, said: dict[str, Any]) -> bytes:
        """The authenticator data (WebAuthn Level 2 section 6.1)."""
        flags = PRESENT * said.get("up", True) | VERIFIED * said.get("uv", True)
        flags |= ELIGIBLE * said.get("be", False) | BACKED_UP * said.get("bs", False)
        flags |= ATTESTED * said.get("at", False)
        count = int(said.get("count", self.count)).to_bytes(4, "big")
        head = sha256(said.get("rp_id", RP_ID).encode()).digest() + bytes([flags]) + count
        if not said.get("at", False):
            return head
        own = said.get("credential_id", self.credential_id)
        return (
            head + bytes(16) + len(own).to_bytes(2, "big") + own + cbor2.dumps(said["public_key"])
        )

    def _credential(self, response: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        own = b64(said.get("credential_id", self.credential_id))
        return {"id": own, "rawId": own, "type": "public-key", "response": response}


@dataclass
class Page:
    """The script of our pages, as one browser runs it."""

    http: FlaskClient
    known: str = ""

    def ask(self, path: str) -> dict[str, Any]:
        """What the script is told to ask an authenticator."""
        answer: dict[str, Any] = self.post(path, {}).json
        return answer

    def post(self, path: str, body: Any) -> TestResponse:
        """Say something in JSON, with the token of the page."""
        return self.http.post(path, json=body, headers={"X-CSRF-Token": self.token()})

    def token(self) -> str:
        """The token that proves that the page is ours."""
        if not self.known:
            page = self.http.get("/sign-in").text
            found = re.search(r'name="csrf-token" content="([^"]+)"', page)
            assert found is not None
            self.known = found.group(1)
        return self.known

    def sign_in(self, authenticator: Authenticator, **forged: Any) -> TestResponse:
        """Sign in with a passkey."""
        asked = self.ask("/passkeys/login/options")
        answer = authenticator.get(asked["publicKey"], **forged)
        return self.bring(asked, answer)

    def bring(self, asked: dict[str, Any], answer: Any, **more: Any) -> TestResponse:
        """Bring the answer of an authenticator to a challenge."""
        said = {"challenge": asked["challenge"], "credential": answer} | more
        return self.post("/passkeys/login", said)

    def add(self, authenticator: Authenticator, name: str = "Key", **forged: Any) -> TestResponse:
        """Add a passkey to the account that is signed in."""
        asked = self.ask("/account/passkeys/options")
        answer = authenticator.create(asked["publicKey"], **forged)
        return self.keep(asked, answer, name=name)

    def keep(self, asked: dict[str, Any], answer: Any, **more: Any) -> TestResponse:
        """Bring a new passkey to a challenge."""
        said = {"challenge": asked["challenge"], "credential": answer} | more
        return self.post("/account/passkeys", said)


def client_data(options: dict[str, Any], said: dict[str, Any]) -> bytes:
    """What the browser says about the ceremony (WebAuthn Level 2 section 5.8.1)."""
    if "client_data" in said:
        raw: bytes = said["client_data"]
        return raw
    told = {
        "type": said["type"],
        "challenge": said.get("challenge", options["challenge"]),
        "origin": said.get("origin", ORIGIN),
        "crossOrigin": said.get("cross_origin", False),
    } | said.get("told", {})
    return json.dumps(told).encode()


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes behind it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
