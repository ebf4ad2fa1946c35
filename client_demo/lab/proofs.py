"""A key on the device, and the proof that it is at hand (RFC 9449 section 4.2)."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field

from joserfc import jwt
from joserfc.jwk import ECKey


def _fresh() -> ECKey:
    return ECKey.generate_key("P-256", private=True)


@dataclass(frozen=True)
class DeviceKey:
    """It is made here, and only its public half is ever shown."""

    key: ECKey = field(default_factory=_fresh)

    @property
    def jkt(self) -> str:
        """Its name: the thumbprint (RFC 7638)."""
        return self.key.thumbprint()

    def proof(self, method: str, url: str, *, token: str = "", nonce: str = "") -> str:
        """Good for this one request; with `token`, for this one token, too."""
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)}
        claims: dict[str, str | int] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url.partition("?")[0],
            "iat": int(time.time()),
        }
        if token:
            half = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        if nonce:
            claims["nonce"] = nonce
        return jwt.encode(header, claims, self.key, algorithms=["ES256"])
