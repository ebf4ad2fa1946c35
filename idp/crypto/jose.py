"""Signing and verifying JSON Web Tokens with an explicit list of algorithms (RFC 7515, 8725).

Only the compact form exists here. A token is looked at with suspicion in a fixed order: its
size, its shape, its header, its key, its signature; only then is a claim read. Keys named by
the token itself (`jwk`, `jku`, `x5u`, `x5c`) are never used.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from idp.crypto import es256
from idp.crypto.compact import Unverifiable, decoded, encoded, json_object

__all__ = ["Claims", "Key", "Signer", "Unverifiable", "Verifier", "audiences", "check_times"]
__all__ += ["claims_of", "generate", "half_hash", "header_of", "import_key", "sign", "thumbprint"]
__all__ += ["verify"]

LONGEST_TOKEN = 16 * 1024
LONGEST_HEADER = 4 * 1024
LONGEST_SIGNATURE = 1024
SKEW = timedelta(seconds=60)
LATEST = 2**53
RSA_BITS = 2048
HEADERS = 256

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

_KEY_TYPES = {"E": "EC", "R": "RSA", "P": "RSA", "H": "oct"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs, with the one algorithm it is for."""

    kid: str
    alg: str
    key: Key


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that verifies. `kid` and `alg` may be unknown for a client's own keys; `x5t` is the
    thumbprint of the certificate that came with it, if one did.
    """

    kid: str | None
    alg: str | None
    key: Key
    x5t: str | None = None


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


def header_of(token: str, longest: int = LONGEST_TOKEN) -> dict[str, Any]:
    """The header of a compact token, read with every suspicion but not yet verified."""
    return dict(_read_header(_parts(token, longest)[0]))


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token nobody has verified yet; only to find out whose keys to try."""
    header, payload, _ = _parts(token)
    _read_header(header)
    return json_object(decoded(payload))


def verify(
    token: str,
    verifiers: Iterable[Verifier],
    algorithms: Sequence[str],
    *,
    typ: str | None = None,
    longest: int = LONGEST_TOKEN,
) -> dict[str, Any]:
    """The claims of a token signed by one of these keys with one of these algorithms.

    With `typ` the header must say so (RFC 8725 section 3.11). Raises `Unverifiable`.
    """
    top, body, last = _parts(token, longest)
    header = _read_header(top)
    alg = header["alg"]
    if alg not in algorithms:
        raise Unverifiable("algorithm not allowed here")
    if typ is not None and _media_type(header.get("typ")) != typ:
        raise Unverifiable("another kind of token")
    payload, signature = decoded(body), decoded(last)
    if len(last) <= LONGEST_SIGNATURE and _header_is_sound(top):
        signed = token[: len(top) + 1 + len(body)].encode()
        for verifier in _candidates(verifiers, header.get("kid"), alg):
            if _signature_holds(signed, signature, verifier.key, alg):
                return json_object(payload)
    raise Unverifiable("no key of ours verifies it")


def check_times(claims: Claims, now: datetime, *, skew: timedelta = SKEW) -> None:
    """`exp` must be there and ahead; `nbf` and `iat`, if there, must not be ahead of us."""
    moment = now.timestamp()
    tolerance = skew.total_seconds()
    if moment >= _numeric_date(claims, "exp", required=True) + tolerance:
        raise Unverifiable("expired")
    for name in ("nbf", "iat"):
        if _numeric_date(claims, name, required=False) > moment + tolerance:
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


def _candidates(verifiers: Iterable[Verifier], kid: str | None, alg: str) -> list[Verifier]:
    """The keys that may have signed: of that name, or nameless ones of the right kind."""
    fitting = [v for v in verifiers if v.alg in (None, alg) and _fits(v.key, alg)]
    if kid is None:
        return fitting
    named = [v for v in fitting if v.kid == kid]
    return named or [v for v in fitting if v.kid is None]


def _fits(key: Key, alg: str) -> bool:
    if alg in ("Ed25519", "EdDSA"):
        return isinstance(key, OKPKey) and key.curve_name == "Ed25519"
    if key.key_type != _KEY_TYPES.get(alg[0]):
        return False
    return not isinstance(key, ECKey) or key.curve_name == _CURVES[alg]


@cache
def _registry(alg: str) -> jws.JWSRegistry:
    """joserfc's rules for one algorithm, and no other."""
    return jws.JWSRegistry(algorithms=[alg], strict_check_header=False)


@lru_cache(maxsize=64)
def _header(alg: str, kid: str, typ: str) -> str:
    """The header of our own tokens: the same for all that one key signs."""
    header = {"alg": alg, "kid": kid, "typ": typ}
    return encoded(json.dumps(header, separators=(",", ":")).encode())


def _parts(token: str, longest: int = LONGEST_TOKEN) -> list[str]:
    """Header, payload and signature, as they are spelled."""
    if len(token) > longest or not token.isascii():
        raise Unverifiable("too long, or not ASCII")
    parts = token.split(".", 5)
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise Unverifiable("not a compact signature")
    if len(parts[0]) > LONGEST_HEADER:
        raise Unverifiable("header too long")
    return parts


@lru_cache(maxsize=HEADERS)
def _read_header(part: str) -> Mapping[str, Any]:
    """Read once: all tokens that one key signs have the same header."""
    header = json_object(decoded(part))
    if "crit" in header or header.get("b64", True) is not True:
        raise Unverifiable("critical header members are not understood")
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("kid", ""), str):
        raise Unverifiable("alg or kid is not a string")
    return header


@lru_cache(maxsize=HEADERS)
def _header_is_sound(part: str) -> bool:
    """Whether every registered member is of the type it must be (RFC 7515 section 4.1)."""
    header = dict(_read_header(part))
    try:
        _registry(header["alg"]).check_header(header)
    except (JoseError, ValueError, TypeError, AttributeError):
        return False
    return True


def _signature(signer: Signer, signed: bytes) -> bytes:
    algorithm = _registry(signer.alg).get_alg(signer.alg)
    algorithm.check_key(signer.key)
    if signer.alg == "ES256":
        return es256.signature(signed, signer.key.get_op_key("sign"))
    return bytes(algorithm.sign(signed, signer.key))


def _signature_holds(signed: bytes, signature: bytes, key: Key, alg: str) -> bool:
    """Ask the algorithm itself: what is around it, we have read once and need not read again."""
    try:
        algorithm = _registry(alg).get_alg(alg)
        algorithm.check_key(key)
        if alg == "ES256":
            return es256.holds(signed, signature, key.get_op_key("verify"))
        return bool(algorithm.verify(signed, signature, key))
    except (JoseError, ValueError, TypeError, AttributeError):
        return False


def _media_type(typ: object) -> str | None:
    if not isinstance(typ, str):
        return None
    return typ.lower().removeprefix("application/")


def _numeric_date(claims: Claims, name: str, *, required: bool) -> float:
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
        raise Unverifiable(f"{name} is not a date")
    return float(value)
