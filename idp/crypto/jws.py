"""Reading signed tokens in the compact form, the only one that exists here (RFC 7515, RFC 8725).

A token is looked at with suspicion in a fixed order: its size, its shape, its header, its key,
its signature; only then is a claim read. Keys named by the token itself (`jwk`, `jku`, `x5u`,
`x5c`) are never used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey

from idp.crypto import es256
from idp.crypto.compact import Unverifiable, decoded, json_object

LONGEST_TOKEN = 16 * 1024
LONGEST_HEADER = 4 * 1024
LONGEST_SIGNATURE = 1024
HEADERS = 256

_KEY_TYPES = {"E": "EC", "R": "RSA", "P": "RSA", "H": "oct"}
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

Check = Callable[[bytes, bytes], bool]
"""Whether these bytes have this signature."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A key that verifies. `kid` and `alg` may be unknown for a client's own keys; `x5t` is the
    thumbprint of the certificate that came with it, if one did.
    """

    kid: str | None
    alg: str | None
    key: Key
    x5t: str | None = None


class Reader:
    """Reads tokens that one of these keys has signed with one of these algorithms.

    With `typ` their header must say so (RFC 8725 section 3.11). What a header leads to is found
    once: all tokens that one key signs have the same.
    """

    def __init__(
        self,
        verifiers: Iterable[Verifier],
        algorithms: Sequence[str],
        *,
        typ: str | None = None,
        longest: int = LONGEST_TOKEN,
    ) -> None:
        self._longest = longest
        found = partial(_checks, tuple(verifiers), algorithms, typ)
        self._checks = lru_cache(maxsize=HEADERS)(found)

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token; raises `Unverifiable`."""
        header, payload, signature = _parts(token, self._longest)
        return _opened(header, payload, signature, self._checks(header))


def verify(
    token: str,
    verifiers: Iterable[Verifier],
    algorithms: Sequence[str],
    *,
    typ: str | None = None,
    longest: int = LONGEST_TOKEN,
) -> dict[str, Any]:
    """The same, of a single token; raises `Unverifiable`."""
    header, payload, signature = _parts(token, longest)
    return _opened(header, payload, signature, _checks(verifiers, algorithms, typ, header))


def header_of(token: str, longest: int = LONGEST_TOKEN) -> dict[str, Any]:
    """The header of a compact token, read with every suspicion but not yet verified."""
    return dict(_read_header(_parts(token, longest)[0]))


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token nobody has verified yet; only to find out whose keys to try."""
    header, payload, _ = _parts(token)
    _read_header(header)
    return json_object(decoded(payload))


@cache
def registry(alg: str) -> jws.JWSRegistry:
    """joserfc's rules for one algorithm, and no other."""
    return jws.JWSRegistry(algorithms=[alg], strict_check_header=False)


def _opened(header: str, payload: str, signature: str, checks: Iterable[Check]) -> dict[str, Any]:
    """The claims, if one of the keys verifies them."""
    claims, ends = decoded(payload), decoded(signature)
    if len(signature) <= LONGEST_SIGNATURE:
        signed = f"{header}.{payload}".encode()
        for holds in checks:
            if holds(signed, ends):
                return json_object(claims)
    raise Unverifiable("no key of ours verifies it")


def _checks(
    verifiers: Iterable[Verifier], algorithms: Sequence[str], typ: str | None, part: str
) -> tuple[Check, ...]:
    """The ways a token with this header may be verified in; raises `Unverifiable`."""
    header = _read_header(part)
    alg = header["alg"]
    if alg not in algorithms:
        raise Unverifiable("algorithm not allowed here")
    if typ is not None and _media_type(header.get("typ")) != typ:
        raise Unverifiable("another kind of token")
    if not _header_is_sound(part):
        return ()
    found = (_check(v.key, alg) for v in _candidates(verifiers, header.get("kid"), alg))
    return tuple(check for check in found if check is not None)


def _check(key: Key, alg: str) -> Check | None:
    """Asks the algorithm itself: what is around it, we have read once and need not read again.
    None for a key it cannot use.
    """
    try:
        algorithm = registry(alg).get_alg(alg)
        algorithm.check_key(key)
        if alg == "ES256":
            return es256.check(key.get_op_key("verify"))
    except (JoseError, ValueError, TypeError, AttributeError):
        return None

    def holds(signed: bytes, signature: bytes) -> bool:
        try:
            return bool(algorithm.verify(signed, signature, key))
        except (JoseError, ValueError, TypeError, AttributeError):
            return False

    return holds


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
        registry(header["alg"]).check_header(header)
    except (JoseError, ValueError, TypeError, AttributeError):
        return False
    return True


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


def _media_type(typ: object) -> str | None:
    if not isinstance(typ, str):
        return None
    return typ.lower().removeprefix("application/")
