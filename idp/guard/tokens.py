"""Access tokens that were read once: verified, taken apart, and ready to be asked about.

Cached by the hash of the whole token, never by a part of it (RSG-12). What changes, its
expiry, its liveness, the keys that are published, is looked at every time.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from idp.crypto import jose
from idp.crypto.confirmation import Confirmation, NotUnderstood, confirmation_of
from idp.guard.introspection import Answer
from idp.guard.jwks import Held, IssuerKeys
from idp.guard.replica import UNNUMBERED
from idp.policies import PolicySet
from idp.policies.feed import ACCOUNT, CLIENT, JTI, LINE, SID, STATE, key
from idp.policies.model import Asks, TokenFacts

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
MOST_TOKENS = 10_000
_NO_ROLES: frozenset[str] = frozenset()
COMPACT = 2  # dots in a signed token; a handle has another number


@dataclass(slots=True, eq=False)
class Seen:
    """One token: what it says, and what the feed would call it."""

    claims: dict[str, Any]
    facts: TokenFacts
    expires_at: float
    scopes: frozenset[str]
    roles: frozenset[str]
    named: tuple[str, ...]
    keys: tuple[int, ...]
    account: int
    generation: int
    held: Held | None = None
    told: Answer | None = None
    _under: "tuple[tuple[str, ...], PolicySet, Asks] | None" = None

    @property
    def state(self) -> int:
        """What the feed calls what the server says of its person."""
        return key(STATE, self.facts.sub)

    def under(self, now: tuple[str, ...]) -> tuple[PolicySet, Asks]:
        """The policies it was minted under and those of its API now, and who must be asked.

        What a handle stands for only the issuer knows. Raises `UnknownPolicy`.
        """
        under = self._under
        if under is None or under[0] is not now:
            policies, asks = _together(self.named, now)
            asks = asks if self.held is not None else Asks.PROVIDER
            under = self._under = (now, policies, asks)
        return under[1], under[2]


class Tokens:
    """Reads signed tokens, and remembers a bounded number of any kind."""

    def __init__(self, keys: IssuerKeys, issuer: str, audience: str, most: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._most = most
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def find(self, name: bytes, now: float, *, wait: bool) -> Seen | None:
        """The token, if it was read before, has not run out, and the keys are the same still.

        What was verified before keys were fetched anew is verified again (RSG-08).
        """
        seen = self._seen.get(name)
        if seen is None:
            return None
        if seen.expires_at > now:
            if seen.held is None or seen.held is self._keys.held(None, wait=wait):
                return seen
        with self._lock:
            self._seen.pop(name, None)
        return None

    def read(self, name: bytes, token: str, now: datetime, *, wait: bool) -> Seen:
        """Verify a signed token (RFC 9068 section 4); raises `Unverifiable`, `Unanswered`."""
        held = self._keys.held(None, wait=wait)
        try:
            claims = jose.verify(token, held.verifiers, ALGORITHMS, typ="at+jwt")
        except jose.Unverifiable:
            held = self._with_key_of(token, held, wait=wait)
            claims = jose.verify(token, held.verifiers, ALGORITHMS, typ="at+jwt")
        jose.check_times(claims, now)
        if claims.get("iat") is None:
            raise jose.Unverifiable("iat is missing")
        seen = self.take_apart(claims, now)
        seen.held = held
        self.keep(name, seen)
        return seen

    def take_apart(self, claims: dict[str, Any], now: datetime) -> Seen:
        """Judge what a token says of itself; raises `Unverifiable`."""
        if claims.get("iss") != self._issuer or self._audience not in jose.audiences(claims):
            raise jose.Unverifiable("not for this API")
        try:
            seen = _seen(claims)
        except UnicodeEncodeError:
            raise jose.Unverifiable("a name is no text") from None
        if seen.expires_at <= now.timestamp():
            raise jose.Unverifiable("expired")
        return seen

    def keep(self, name: bytes, seen: Seen) -> None:
        """Remember a token; the oldest goes when there are too many."""
        with self._lock:
            self._seen[name] = seen
            while len(self._seen) > self._most:
                self._seen.popitem(last=False)

    def _with_key_of(self, token: str, held: Held, *, wait: bool) -> Held:
        """Newer keys, if the token names one we do not know; else it stays unverifiable."""
        kid = jose.header_of(token).get("kid")
        newer = held if held.knows(kid) else self._keys.held(kid, wait=wait)
        if newer is held:
            raise jose.Unverifiable("no key of the issuer's verifies it")
        return newer


def name_of(token: str) -> bytes:
    """What a token is remembered by: a hash of all of it."""
    return sha256(token.encode()).digest()


def _seen(claims: dict[str, Any]) -> Seen:
    sub, client_id, jti = _text(claims, "sub"), _text(claims, "client_id"), _text(claims, "jti")
    sid = _text(claims, "sid") if claims.get("sid") is not None else None
    line = _text(claims, "line") if claims.get("line") is not None else None
    expires_at, generation = _date(claims, "exp"), claims.get("gen")
    if generation is not None and type(generation) is not int:
        raise jose.Unverifiable("gen is not a number")
    held = _bound_to(claims.get("cnf"))
    facts = TokenFacts(
        jti=jti,
        sub=sub,
        client_id=client_id,
        audiences=jose.audiences(claims),
        expires_at=datetime.fromtimestamp(expires_at, UTC),
        sid=sid,
        line=line,
        generation=generation,
        jkt=held.jkt,
        x5t=held.x5t,
    )
    keys = [key(JTI, jti), _client_key(client_id)]
    keys += [key(kind, subject) for kind, subject in ((SID, sid), (LINE, line)) if subject]
    keys += _lineage(claims.get("lineage", []))
    return Seen(
        claims=claims,
        facts=facts,
        expires_at=expires_at,
        scopes=frozenset(_words(claims, "scope")),
        roles=strings(claims["roles"]) if "roles" in claims else _NO_ROLES,
        named=_policies(claims["policies"]) if "policies" in claims else (),
        keys=tuple(keys),
        account=key(ACCOUNT, sub),
        generation=UNNUMBERED if generation is None else generation,
    )


@lru_cache(maxsize=256)
def _together(then: tuple[str, ...], now: tuple[str, ...]) -> tuple[PolicySet, Asks]:
    policies = PolicySet.named((*then, *now))
    return policies, policies.asks


@lru_cache(maxsize=256)
def _client_key(client_id: str) -> int:
    return key(CLIENT, client_id)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise jose.Unverifiable(f"{name} is missing")
    return value


def _date(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise jose.Unverifiable(f"{name} is missing, or not a date")
    if not 0 <= value < jose.LATEST:
        raise jose.Unverifiable(f"{name} is not a date")
    return value


def _words(claims: Mapping[str, Any], name: str) -> list[str]:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise jose.Unverifiable(f"{name} is not a string")
    return value.split()


def strings(value: object) -> frozenset[str]:
    """The strings of a list; nothing, where there is none."""
    return (
        frozenset(v for v in value if isinstance(v, str)) if isinstance(value, list) else _NO_ROLES
    )


def _lineage(value: object) -> list[int]:
    """The tokens it was exchanged for, and their clients: when one of them is over, it is."""
    if not isinstance(value, list):
        raise jose.Unverifiable("lineage is not a list")
    keys = []
    for parent in value:
        if not isinstance(parent, dict):
            raise jose.Unverifiable("lineage names no tokens")
        keys.append(_client_key(_text(parent, "client_id")))
        if "jti" in parent:
            keys.append(key(JTI, _text(parent, "jti")))
    return keys


def _policies(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise jose.Unverifiable("policies are not names")
    return tuple(value)


def _bound_to(cnf: object) -> Confirmation:
    """The keys a token works with. Another kind of binding cannot be checked here, and what
    cannot be checked is refused (RFC 7800 section 3.1).
    """
    try:
        return confirmation_of(cnf)
    except NotUnderstood as error:
        raise jose.Unverifiable(str(error)) from None
