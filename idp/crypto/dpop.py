"""One proof that whoever sends a request holds a key (RFC 9449 section 4): read and judged.

Pure: the address of the server, the time and the nonces are handed in. Whether a proof came
before is the caller's question, because only the caller has a memory; `Proof.until` tells it
how long to remember.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import Key, RSAKey

from idp.crypto import jose
from idp.crypto.secrets import same

TYPE = "dpop+jwt"
ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "Ed25519", "EdDSA")

LONGEST_PROOF = 8 * 1024
LONGEST_JTI = 256
LONGEST_NONCE = 256
LONGEST_HTU = 2048
WINDOW = timedelta(seconds=60)
AHEAD = timedelta(seconds=10)
_MARGIN = 2 * int(AHEAD.total_seconds())

_PUBLIC = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 4096 + 1)
_RSA_EXPONENT = 2**32
_PORTS = {"http": 80, "https": 443}
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!$-;=@-\[\]_a-z~]*)?(?:\?[!$-\[\]_a-z~]*)?(?:#[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_ENCODED = re.compile(r"%([0-9a-f]{2})?", re.IGNORECASE)
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


class InvalidProof(Exception):
    """The proof is not what it should be. `reason` is for our own trail and repeats nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StaleNonce(InvalidProof):
    """All is good but the nonce: the client should try again with a fresh one."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds. `until` is the epoch second from which its age alone refuses it."""

    jkt: str
    jti: str
    htu: str
    iat: int
    nonce: str | None
    until: int

    @property
    def once(self) -> str:
        """What must be seen once only: this `jti`, from this key, for this address."""
        return f"{self.jkt}|{self.htu}|{self.jti}"


@dataclass(frozen=True, slots=True)
class Nonces:
    """Nonces that need no memory (RFC 9449 section 8): all who have the key know them.

    One is good in its own stretch of time and in the next.
    """

    key: bytes
    stretch: timedelta = timedelta(minutes=2)

    def fresh(self, now: datetime) -> str:
        """The nonce to hand out now."""
        return self._of(self._bucket(now))

    def good(self, value: str, now: datetime) -> bool:
        """Whether we, or another process with our key, handed this out a moment ago."""
        return self.until(value, now) is not None

    def until(self, value: str, now: datetime) -> int | None:
        """The epoch second from which a nonce that is good now is good no more; the same
        whenever it is asked.
        """
        bucket = self._bucket(now)
        good = [each for each in (bucket, bucket - 1) if same(value, self._of(each))]
        return (good[0] + 2) * int(self.stretch.total_seconds()) if good else None

    def _bucket(self, now: datetime) -> int:
        return int(now.timestamp()) // int(self.stretch.total_seconds())

    def _of(self, bucket: int) -> str:
        mac = hmac.new(self.key, str(bucket).encode(), hashlib.sha256).digest()
        return _base64url(mac[:24])


def check(
    values: Sequence[str],
    *,
    method: str,
    url: str,
    now: datetime,
    token: str | None = None,
    nonces: Nonces | None = None,
    nonce_required: bool = False,
    alias: str | None = None,
    algorithms: Sequence[str] = ALGORITHMS,
) -> Proof:
    """Judge what came in the `DPoP` header (RFC 9449 section 4.3); raises `InvalidProof`.

    `url` is the server's public address of this endpoint, from its configuration, and `alias`
    the one at which it asks for client certificates (RFC 8705 section 5). With `token`
    the proof must be for that access token. With `nonces` a proof with a nonce is judged by
    that, and never by the client's clock; with `nonce_required` nothing else will do; raises
    `StaleNonce`. So a proof that was good by the one is not good by the other later.
    """
    header = _one(values)
    key = _public_key(header)
    try:
        verifier = jose.Verifier(None, None, key)
        claims = jose.verify(values[0].strip(), [verifier], algorithms, typ=TYPE)
        jkt = jose.thumbprint(key)
    except jose.Unverifiable as error:
        raise InvalidProof(str(error)) from error
    if _text(claims, "htm", len(method)) != method:
        raise InvalidProof("made for another method")
    htu = address(_text(claims, "htu", LONGEST_HTU))
    if htu not in {address(ours) for ours in (url, alias) if ours is not None}:
        raise InvalidProof("made for another address")
    if token is not None and not same(_text(claims, "ath", LONGEST_JTI), ath(token)):
        raise InvalidProof("made for another access token")
    jti, iat = _text(claims, "jti", LONGEST_JTI), _number(claims, "iat")
    nonce = _text(claims, "nonce", LONGEST_NONCE) if "nonce" in claims else None
    if nonces is not None and (nonce_required or nonce is not None):
        until = nonces.until(nonce, now) if nonce is not None else None
        if until is None:
            raise StaleNonce("no nonce of ours, or one of long ago")
        return Proof(jkt, jti, htu, int(iat), nonce, until + _MARGIN)
    _judge_age(iat, now)
    until = int(iat) + int(WINDOW.total_seconds()) + _MARGIN
    return Proof(jkt, jti, htu, int(iat), nonce, until)


def ath(token: str) -> str:
    """What a proof says of the access token it goes with (RFC 9449 section 4.2)."""
    return _base64url(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())


def address(url: str) -> str:
    """An address as it is compared: scheme and host in lower case, no default port, no query,
    no fragment (RFC 9449 section 4.3, RFC 3986 section 6.2.2); raises `InvalidProof`.

    Addresses that two readers could read differently are refused, not mended.
    """
    parts = _ADDRESS.fullmatch(url) if len(url) <= LONGEST_HTU else None
    if parts is None:
        raise InvalidProof("not an address of the web")
    scheme, host = parts["scheme"].lower(), parts["host"].lower()
    path = _ENCODED.sub(_decoded, parts["path"] or "/")
    if _DOTS.search(path):
        raise InvalidProof("an address with dots to walk")
    port = int(parts["port"] or _PORTS[scheme])
    where = host if port == _PORTS[scheme] else f"{host}:{port}"
    return f"{scheme}://{where}{path}"


def _one(values: Sequence[str]) -> dict[str, Any]:
    """The header of the one proof there may be; servers join several with a comma."""
    if len(values) != 1 or "," in values[0]:
        raise InvalidProof("not exactly one proof")
    if len(values[0]) > LONGEST_PROOF:
        raise InvalidProof("the proof is too long")
    try:
        return jose.header_of(values[0].strip())
    except jose.Unverifiable as error:
        raise InvalidProof(str(error)) from error


def _public_key(header: Mapping[str, Any]) -> Key:
    """The key in the header, made from its public members and nothing else."""
    jwk = header.get("jwk")
    if header["alg"] not in ALGORITHMS:
        raise InvalidProof("algorithm not allowed here")
    if not isinstance(jwk, dict):
        raise InvalidProof("no key in the header")
    if _PRIVATE & jwk.keys():
        raise InvalidProof("the key is a private one")
    members = _PUBLIC.get(str(jwk.get("kty")), ())
    if not members or not all(isinstance(jwk.get(name), str) for name in members):
        raise InvalidProof("not a public key")
    try:
        key = jose.import_key({name: jwk[name] for name in ("kty", *members)})
    except jose.Unverifiable as error:
        raise InvalidProof(str(error)) from error
    if isinstance(key, RSAKey) and not _sound(key):
        raise InvalidProof("an RSA key of a size we do not take")
    return key


def _sound(key: RSAKey) -> bool:
    """Long enough to be safe, and cheap enough to verify for anybody who asks."""
    numbers = key.public_key.public_numbers()
    return numbers.n.bit_length() in _RSA_BITS and numbers.e < _RSA_EXPONENT


def _judge_age(iat: float, now: datetime) -> None:
    """By the client's clock (RFC 9449 section 11.1)."""
    age = now.timestamp() - iat
    if -AHEAD.total_seconds() <= age <= WINDOW.total_seconds():
        return
    if age > 0:
        raise InvalidProof("too old by our clock, whose place a nonce of ours can take")
    raise InvalidProof("from the future by our clock, whose place a nonce of ours can take")


def _decoded(found: re.Match[str]) -> str:
    """Encoded without need: decoded; otherwise spelled in one way (RFC 3986 section 6.2.2)."""
    if found[1] is None:
        raise InvalidProof("an address with a broken encoding")
    char = chr(int(found[1], 16))
    return char if _UNRESERVED.fullmatch(char) else f"%{found[1].upper()}"


def _text(claims: jose.Claims, name: str, longest: int) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value) > longest:
        raise InvalidProof(f"{name} is missing, or not of the right size")
    return value


def _number(claims: jose.Claims, name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidProof(f"{name} is missing, or not a date")
    if not 0 <= value < jose.LATEST:
        raise InvalidProof(f"{name} is not a date")
    return value


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
