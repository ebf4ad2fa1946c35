"""ES256 without a detour (RFC 7518 section 3.4): what APIs and we do most."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

HALF = 32  # bytes; a signature is two numbers side by side
_ECDSA = ec.ECDSA(SHA256())


def signature(signed: bytes, key: object) -> bytes:
    """The signature of these bytes; raises TypeError for a key of another kind."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a private key of an elliptic curve")
    r, s = decode_dss_signature(key.sign(signed, _ECDSA))
    return r.to_bytes(HALF) + s.to_bytes(HALF)


def holds(signed: bytes, signature: bytes, key: object) -> bool:
    """Whether it is the signature of these bytes by the owner of this key."""
    if len(signature) != 2 * HALF or not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    r, s = int.from_bytes(signature[:HALF]), int.from_bytes(signature[HALF:])
    try:
        key.verify(encode_dss_signature(r, s), signed, _ECDSA)
    except InvalidSignature:
        return False
    return True
