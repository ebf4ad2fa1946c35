"""A device that holds a key and proves it (RFC 9449 section 4.2), or lies about it."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry


@dataclass
class Prover:
    """Somebody's device, with a key that never leaves it."""

    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256"))
    alg: str = "ES256"

    @property
    def jkt(self) -> str:
        return self.key.thumbprint()

    def proof(
        self,
        method: str,
        url: str,
        now: datetime,
        *,
        token: str | None = None,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A proof for one request; a member given as None is left out."""
        said: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(now.timestamp()),
        }
        if token is not None:
            said["ath"] = _part(hashlib.sha256(token.encode()).digest())
        public = self.key.as_dict(private=False)
        top = {"typ": "dpop+jwt", "alg": self.alg, "jwk": public} | (header or {})
        return self.signed(_told(top), _told(said | claims))

    def signed(self, header: dict[str, Any], claims: object) -> str:
        """Any header over any claims, signed with our key."""
        top, body = _part(json.dumps(header).encode()), _part(json.dumps(claims).encode())
        algorithm = JWSRegistry(algorithms=[self.alg]).get_alg(self.alg)
        signature = algorithm.sign(f"{top}.{body}".encode(), self.key)
        return f"{top}.{body}.{_part(signature)}"


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _told(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
