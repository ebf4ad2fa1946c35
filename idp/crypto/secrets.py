"""Secrets and what we keep of them.

A `Handle` is worth stealing and is never stored or logged. A `Digest` is what we keep. They
are different types, so that one cannot be stored in place of the other by accident.
"""

import base64
import hashlib
import hmac
import secrets
from typing import NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Handle = NewType("Handle", str)
Digest = NewType("Digest", bytes)

HANDLE_BYTES = 32
NONCE_BYTES = 12


class Unsealable(Exception):
    """A sealed secret does not open: another key, another row, or a flipped bit."""


def new_handle(prefix: str = "") -> Handle:
    """A fresh secret of 256 random bits, 43 characters after its prefix."""
    return Handle(prefix + secrets.token_urlsafe(HANDLE_BYTES))


def new_id() -> str:
    """A fresh public name that nobody can guess or meet twice, and no command line takes for an
    option.
    """
    name = secrets.token_urlsafe(24)
    return name if name[0].isalnum() else new_id()


def digest(handle: str) -> Digest:
    """What we keep of a handle. Enough for 256 random bits; passwords need argon2."""
    return Digest(hashlib.sha256(handle.encode("utf-8", "surrogatepass")).digest())


def same(one: str | bytes, other: str | bytes) -> bool:
    """Whether two secrets are equal, in time that does not tell where they differ."""
    return hmac.compare_digest(_as_bytes(one), _as_bytes(other))


def derive_key(master: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose (HKDF, RFC 5869), so that no key serves two."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(master)


def derive_handle(key: bytes, parent: Handle, prefix: str = "") -> Handle:
    """The one successor of a handle: whoever has no key cannot foretell it."""
    mac = hmac.new(key, parent.encode(), hashlib.sha256).digest()
    return Handle(prefix + base64.urlsafe_b64encode(mac).rstrip(b"=").decode())


def seal(key: bytes, secret: bytes, bound_to: str) -> bytes:
    """Encrypt a secret for storage; it opens only in the row it was sealed for (AES-256-GCM)."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, bound_to.encode())


def unseal(key: bytes, sealed: bytes, bound_to: str) -> bytes:
    """Open what `seal` closed, or raise `Unsealable`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise Unsealable from error


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
