"""One access token, taken apart: what it says, and what the feed would call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from idp.crypto import jose
from idp.crypto.confirmation import Confirmation, NotUnderstood, confirmation_of
from idp.guard.introspection import Answer
from idp.guard.jwks import Held
from idp.guard.replica import UNNUMBERED
from idp.policies import PolicySet
from idp.policies.feed import ACCOUNT, CLIENT, JTI, LINE, SID, STATE, key
from idp.policies.model import Asks, TokenFacts

_NO_ROLES: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Seen:
    """One token: what it says, and what the feed would call it. `told` is what the issuer said of
    it last, if it was a yes.
    """

    name: bytes
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


def taken_apart(name: bytes, claims: dict[str, Any]) -> Seen:
    """What these claims say; raises `Unverifiable` for what no token says."""
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
        name=name,
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
