"""How a refresh token is made, so that an old one is recognised without being stored.

A token is `rt_` and 64 bytes: 16 that name its family, 32 that are its own, and 16 that
prove it is one of ours. The successor is derived from the token itself under a key of the
server, so that two who race with one token are given one and the same successor, although
only hashes are kept.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from idp.crypto.secrets import Digest, Handle, same

PREFIX = "rt_"
FAMILY_BYTES = 16
OWN_BYTES = 32
PROOF_BYTES = 16
ENCODED_LENGTH = 86


@dataclass(frozen=True, slots=True)
class RefreshKey:
    """Makes refresh tokens and tells ours from others."""

    key: bytes

    def first(self) -> Handle:
        """The first token of a new family."""
        return self._assemble(secrets.token_bytes(FAMILY_BYTES), secrets.token_bytes(OWN_BYTES))

    def successor(self, token: Handle) -> Handle:
        """The one token that follows this one; whoever has no key cannot foretell it."""
        family, own = self._open(token)
        return self._assemble(family, self._mac(b"successor", family + own))

    def family(self, token: str) -> Digest | None:
        """The hash of the family part, or None when the token was never one of ours."""
        try:
            family, _ = self._open(Handle(token))
        except ValueError:
            return None
        return Digest(hashlib.sha256(b"family" + family).digest())

    def _open(self, token: Handle) -> tuple[bytes, bytes]:
        encoded = token.removeprefix(PREFIX)
        if not token.startswith(PREFIX) or len(encoded) != ENCODED_LENGTH:
            raise ValueError("not shaped like a refresh token")
        try:
            raw = base64.b64decode(encoded + "==", altchars=b"-_", validate=True)
        except binascii.Error as error:
            raise ValueError("not shaped like a refresh token") from error
        family, own = raw[:FAMILY_BYTES], raw[FAMILY_BYTES : FAMILY_BYTES + OWN_BYTES]
        if not same(self._assemble(family, own), token):
            raise ValueError("not one of ours")
        return family, own

    def _assemble(self, family: bytes, own: bytes) -> Handle:
        proof = self._mac(b"proof", family + own)[:PROOF_BYTES]
        encoded = base64.urlsafe_b64encode(family + own + proof).rstrip(b"=").decode()
        return Handle(PREFIX + encoded)

    def _mac(self, purpose: bytes, message: bytes) -> bytes:
        return hmac.new(self.key, purpose + b":" + message, hashlib.sha256).digest()
