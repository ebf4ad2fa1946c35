"""ES256 without a detour (RFC 7518 section 3.4): what APIs and we do most."""

from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

HALF = 32  # bytes; a signature is two numbers side by side
_ECDSA = ec.ECDSA(SHA256())
_OF_HASH = ec.ECDSA(Prehashed(SHA256()))  # hashlib is half a microsecond faster at it


def signature(signed: bytes, key: object) -> bytes:
    """The signature of these bytes; raises TypeError for a key of another kind."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a private key of an elliptic curve")
    r, s = decode_dss_signature(key.sign(signed, _ECDSA))
    return r.to_bytes(HALF) + s.to_bytes(HALF)


def check(key: object) -> Callable[[bytes, bytes], bool] | None:
    """Whether some bytes have a signature by the owner of this key; None for a key of another
    kind. It is made once for each key.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    verify = key.verify

    def holds(signed: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * HALF:
            return False
        try:
            verify(_der(signature), sha256(signed).digest(), _OF_HASH)
        except InvalidSignature:
            return False
        return True

    return holds


def _der(signature: bytes) -> bytes:
    """The two numbers as cryptography wants them (RFC 3279 section 2.2.3). Written out, because
    this way they need not become numbers.
    """
    r, s = _integer(signature[:HALF]), _integer(signature[HALF:])
    return b"\x30%c%b%b" % (len(r) + len(s), r, s)


def _integer(number: bytes) -> bytes:
    """DER wants no zeros in front, but one before a first bit that would be a sign."""
    digits = number.lstrip(b"\0")
    if not digits or digits[0] >= 0x80:  # noqa: PLR2004 - the first bit
        digits = b"\0" + digits
    return b"\x02%c%b" % (len(digits), digits)
