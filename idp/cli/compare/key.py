"""A key on a device, and the proofs that it is held (RFC 9449 section 4.2)."""

import base64
import hashlib
import json
import secrets

from joserfc import jws
from joserfc.jwk import ECKey

from idp.guard.guard import wall_clock


class DeviceKey:
    """A key that never leaves this object."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")

    def proof(self, method: str, url: str, token: str | None = None) -> str:
        """A fresh proof for one request; with a token, of that token's use."""
        said: dict[str, object] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(wall_clock().timestamp()),
        }
        if token is not None:
            hashed = hashlib.sha256(token.encode()).digest()
            said["ath"] = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(said).encode(), self._key)
