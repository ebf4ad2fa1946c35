"""Encrypting and decrypting JSON Web Tokens with explicit lists of algorithms (RFC 7516, 8725).

Only the compact form with its one recipient exists here. Nothing is ever unpacked (`zip`), no
key is taken from the token, and RSA1_5 and passwords are not among the algorithms (JOS-09).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp.crypto.compact import Unverifiable, decoded, json_object

__all__ = ["CONTENT_ALGORITHMS", "KEY_ALGORITHMS", "USUAL_CONTENT", "Holder", "decrypt", "encrypt"]
__all__ += ["fits", "is_encrypted"]

KEY_ALGORITHMS = ("RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
CONTENT_ALGORITHMS = ("A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512")
USUAL_CONTENT = "A128CBC-HS256"  # where only the algorithm of the key was named

LONGEST_TOKEN = 32 * 1024
LONGEST_HEADER = 1024
PARTS = 5
CURVES = ("P-256", "P-384", "P-521")


@dataclass(frozen=True, slots=True)
class Holder:
    """A key something is encrypted for: the public half to encrypt, the private one to decrypt."""

    kid: str | None
    key: Key


def encrypt(said: str, holder: Holder, alg: str, enc: str, *, nested: bool = True) -> str:
    """A signed token inside an encrypted one (RFC 7519 section 11.2), for this holder only; or
    bare claims, if not `nested`.
    """
    header = {"alg": alg, "enc": enc} | ({"cty": "JWT"} if nested else {})
    if holder.kid is not None:
        header["kid"] = holder.kid
    try:
        return jwe.encrypt_compact(header, said, holder.key, registry=_registry(alg, enc))
    except (JoseError, ValueError, TypeError) as error:
        raise Unverifiable("the key does not fit the algorithm") from error


def decrypt(
    token: str,
    holders: Iterable[Holder],
    algorithms: Sequence[str] = KEY_ALGORITHMS,
    contents: Sequence[str] = CONTENT_ALGORITHMS,
) -> str:
    """What is inside, if one of these keys opens it; raises `Unverifiable`.

    Who wrote it is not known by that: what is inside must be signed.
    """
    header = _header(token)
    alg, enc = header.get("alg"), header.get("enc")
    if alg not in algorithms or enc not in contents:
        raise Unverifiable("algorithm not allowed here")
    for holder in _candidates(holders, header.get("kid"), str(alg)):
        opened = _opened(token, holder.key, _registry(str(alg), str(enc)))
        if opened is not None:
            return opened
    raise Unverifiable("no key of ours opens it")


def is_encrypted(token: str) -> bool:
    """Whether it has the five parts of an encrypted token rather than the three of a signed one."""
    return token.count(".", 0, LONGEST_TOKEN) == PARTS - 1


def fits(key: Key, alg: str) -> bool:
    """Whether a key is of the kind an algorithm needs."""
    if alg.startswith("RSA"):
        return isinstance(key, RSAKey)
    if isinstance(key, ECKey):
        return key.curve_name in CURVES
    return isinstance(key, OKPKey) and key.curve_name == "X25519"


def _header(token: str) -> dict[str, Any]:
    """The header of a compact token, with its shape checked before anything is computed."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise Unverifiable("too long, or not ASCII")
    parts = token.split(".", PARTS)
    if len(parts) != PARTS or len(parts[0]) > LONGEST_HEADER:
        raise Unverifiable("not a compact encryption")
    for part in parts:
        decoded(part)
    header = json_object(decoded(parts[0]))
    if "crit" in header or "zip" in header:
        raise Unverifiable("neither critical members nor compression are understood")
    if not isinstance(header.get("kid", ""), str):
        raise Unverifiable("kid is not a string")
    return header


def _candidates(holders: Iterable[Holder], kid: str | None, alg: str) -> list[Holder]:
    fitting = [holder for holder in holders if fits(holder.key, alg)]
    return [h for h in fitting if kid is None or h.kid in (None, kid)]


def _opened(token: str, key: Key, registry: jwe.JWERegistry) -> str | None:
    try:
        opened = jwe.decrypt_compact(token, key, registry=registry)
        return (opened.plaintext or b"").decode()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, AssertionError):
        return None


@cache
def _registry(alg: str, enc: str) -> jwe.JWERegistry:
    """joserfc's rules for one pair of algorithms, and no other."""
    return jwe.JWERegistry(algorithms=[alg, enc], strict_check_header=False)
