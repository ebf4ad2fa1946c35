"""JSON Web Tokens with an explicit list of algorithms (RFC 7519, RFC 8725): their keys, how they
are signed, and the claims in them. How they are read is in `jws`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from idp.crypto import es256
from idp.crypto.compact import Unverifiable, decoded, encoded
from idp.crypto.jws import (
    LONGEST_HEADER,
    LONGEST_TOKEN,
    Reader,
    Verifier,
    claims_of,
    header_of,
    registry,
    verify,
)

__all__ = ["LONGEST_HEADER", "LONGEST_TOKEN", "Claims", "Key", "Reader", "Signer", "Unverifiable"]
__all__ += ["Verifier", "audiences", "check_begun", "check_times", "claims_of", "generate"]
__all__ += ["half_hash", "header_of", "import_key", "sign", "thumbprint", "verify"]

SKEW = timedelta(seconds=60)
LATEST = 2**53
RSA_BITS = 2048
_NUMBER = (int, float)
_BEGINNINGS = ("nbf", "iat")

ASYMMETRIC: tuple[str, ...] = (
    "ES256",
    "ES384",
    "ES512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
)
ASYMMETRIC += ("Ed25519", "EdDSA")
OUR_ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")

_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs, with the one algorithm it is for."""

    kid: str
    alg: str
    key: Key


def generate(alg: str) -> Key:
    """A fresh private key for one of our algorithms."""
    if alg == "ES256":
        return ECKey.generate_key("P-256")
    if alg in ("RS256", "PS256"):
        return RSAKey.generate_key(2048)
    if alg == "Ed25519":
        return OKPKey.generate_key("Ed25519")
    raise ValueError(f"we have no keys for {alg}")


def import_key(jwk: Mapping[str, Any]) -> Key:
    """A key from its JSON form; raises `Unverifiable` for one that is none, or too weak."""
    kinds: dict[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey, "oct": OctKey}
    kind = kinds.get(str(jwk.get("kty")))
    if kind is None:
        raise Unverifiable("unknown key type")
    if kind is RSAKey and _modulus_bits(jwk.get("n")) < RSA_BITS:
        raise Unverifiable(f"an RSA key shorter than {RSA_BITS} bits")
    try:
        return kind.import_key(dict(jwk))  # type: ignore[no-any-return]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unverifiable("not a usable key") from error


def thumbprint(key: Key) -> str:
    """The name of a key that follows from the key itself (RFC 7638)."""
    return key.thumbprint()


def sign(signer: Signer, claims: Claims, typ: str) -> str:
    """A signed token in compact form, with `alg`, `kid` and `typ` in its header."""
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    signed = f"{_header(signer.alg, signer.kid, typ)}.{encoded(payload)}"
    return f"{signed}.{encoded(_signature(signer, signed.encode()))}"


def check_times(claims: Claims, now: datetime, *, skew: timedelta = SKEW) -> None:
    """`exp` must be there and ahead; `nbf` and `iat`, if there, must not be ahead of us."""
    moment, tolerance = now.timestamp(), skew.total_seconds()
    if moment >= _numeric_date(claims, "exp") + tolerance:
        raise Unverifiable("expired")
    check_begun(claims, moment + tolerance)


def check_begun(claims: Claims, latest: float) -> None:
    """`nbf` and `iat`, if there, must not be later than this."""
    for name in _BEGINNINGS:
        if claims.get(name) is not None and _numeric_date(claims, name) > latest:
            raise Unverifiable(f"{name} is in the future")


def audiences(claims: Claims) -> frozenset[str]:
    """The `aud` of a token as a set, whether it was one string or several."""
    aud = claims.get("aud")
    if isinstance(aud, str):
        return frozenset([aud])
    if isinstance(aud, list) and all(isinstance(item, str) for item in aud):
        return frozenset(aud)
    return frozenset()


def half_hash(alg: str, value: str) -> str:
    """`at_hash` and `c_hash` (OpenID Connect Core section 3.1.3.6)."""
    if alg in ("Ed25519", "EdDSA"):
        hashed = hashlib.sha512(value.encode()).digest()
    elif alg[:2] in ("ES", "RS", "PS", "HS") and alg[2:] in _HASHES:
        hashed = _HASHES[alg[2:]](value.encode()).digest()
    else:
        raise Unverifiable("no hash belongs to this algorithm")
    return encoded(hashed[: len(hashed) // 2])


def _modulus_bits(n: object) -> int:
    """The size of an RSA key (RFC 7518 section 3.3)."""
    return int.from_bytes(decoded(n)).bit_length() if isinstance(n, str) else 0


@lru_cache(maxsize=64)
def _header(alg: str, kid: str, typ: str) -> str:
    """The header of our own tokens: the same for all that one key signs."""
    header = {"alg": alg, "kid": kid, "typ": typ}
    return encoded(json.dumps(header, separators=(",", ":")).encode())


def _signature(signer: Signer, signed: bytes) -> bytes:
    algorithm = registry(signer.alg).get_alg(signer.alg)
    algorithm.check_key(signer.key)
    if signer.alg == "ES256":
        return es256.signature(signed, signer.key.get_op_key("sign"))
    return bytes(algorithm.sign(signed, signer.key))


def _numeric_date(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 <= value < LATEST:
        raise Unverifiable(f"{name} is not a date")
    return value
