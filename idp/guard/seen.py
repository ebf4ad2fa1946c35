"""One access token, taken apart: what it says, and what the feed would call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from idp.crypto import jose
from idp.crypto.confirmation import UNBOUND, Confirmation, NotUnderstood, confirmation_of
from idp.guard.introspection import Answer
from idp.guard.jwks import Held
from idp.guard.replica import UNNUMBERED
from idp.policies import PolicySet
from idp.policies.feed import ACCOUNT, CLIENT, JTI, LINE, SID, STATE, key
from idp.policies.model import Asks, TokenFacts

_NO_ROLES: frozenset[str] = frozenset()
_NUMBER = (int, float)
_TEXT = frozenset({str})
_LATEST = datetime.max.replace(tzinfo=UTC).timestamp()
_ROOTS = (SID, LINE)  # what the feed calls them, the claims call them, too
RECURRING = 4096


@dataclass(frozen=True, slots=True)
class Rules:
    """The policies of a token then and now, what they want to know at each call, and those that
    look at the token; None if none does.
    """

    policies: PolicySet
    asks: Asks
    roles: bool
    judging: PolicySet | None

    def and_also(self, names: tuple[str, ...]) -> "Rules":
        """With these policies besides; raises `UnknownPolicy`."""
        return _together(self.policies.names, names, self.asks) if names else self


@dataclass(slots=True, eq=False)
class Seen:
    """One token: what it says, and what the feed would call it. `told` is what the issuer said of
    it last, if it was a yes.
    """

    name: bytes
    claims: dict[str, Any]
    expires_at: float
    scopes: frozenset[str]
    roles: frozenset[str]
    named: tuple[str, ...]
    bound: Confirmation
    keys: tuple[int, ...]
    account: int
    generation: int
    held: Held | None = None
    told: Answer | None = None
    _facts: TokenFacts | None = None
    _under: "tuple[tuple[str, ...], Rules] | None" = None

    @property
    def jti(self) -> str:
        return str(self.claims["jti"])

    @property
    def state(self) -> int:
        """What the feed calls what the server says of its person."""
        return _recurring(STATE, self.claims["sub"])

    @property
    def facts(self) -> TokenFacts:
        """What policies judge by; made for the first one that asks."""
        if self._facts is None:
            self._facts = _facts(self.claims, self.bound)
        return self._facts

    def under(self, now: tuple[str, ...]) -> Rules:
        """The policies it was minted under and those of its API now, and who must be asked.

        What a handle stands for only the issuer knows. Raises `UnknownPolicy`.
        """
        under = self._under
        if under is None or under[0] is not now:
            least = Asks.NOTHING if self.held is not None else Asks.PROVIDER
            under = self._under = (now, _together(self.named, now, least))
        return under[1]


def taken_apart(name: bytes, claims: dict[str, Any]) -> Seen:
    """What these claims say; raises `Unverifiable` for what no token says."""
    generation = claims.get("gen")
    if generation is None:
        generation = UNNUMBERED
    elif type(generation) is not int:
        raise jose.Unverifiable("gen is not a number")
    keys = [key(JTI, _text(claims, "jti")), _recurring(CLIENT, _text(claims, "client_id"))]
    for root in _ROOTS:
        if claims.get(root) is not None:
            keys.append(key(root, _text(claims, root)))
    if "lineage" in claims:
        keys += _lineage(claims["lineage"])
    return Seen(
        name,
        claims,
        _date(claims, "exp"),
        _words(claims, "scope"),
        strings(claims["roles"]) if "roles" in claims else _NO_ROLES,
        _policies(claims["policies"]) if "policies" in claims else (),
        _bound_to(claims["cnf"]) if "cnf" in claims else UNBOUND,
        tuple(keys),
        _recurring(ACCOUNT, _text(claims, "sub")),
        generation,
    )


@lru_cache(maxsize=256)
def _together(then: tuple[str, ...], now: tuple[str, ...], least: Asks) -> Rules:
    policies = PolicySet.named((*then, *now))
    judging = policies.judging if policies.judging.policies else None
    return Rules(policies, max(policies.asks, least), policies.roles, judging)


@lru_cache(maxsize=RECURRING)
def _recurring(kind: str, subject: str) -> int:
    """What the feed calls somebody or something that many tokens name."""
    return key(kind, subject)


def _facts(claims: Mapping[str, Any], bound: Confirmation) -> TokenFacts:
    return TokenFacts(
        jti=claims["jti"],
        sub=claims["sub"],
        client_id=claims["client_id"],
        audiences=jose.audiences(claims),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        sid=claims.get("sid"),
        line=claims.get("line"),
        generation=claims.get("gen"),
        jkt=bound.jkt,
        x5t=bound.x5t,
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if value and isinstance(value, str):
        return value
    raise jose.Unverifiable(f"{name} is missing")


def _date(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, _NUMBER) or not 0 <= value < _LATEST:
        raise jose.Unverifiable(f"{name} is missing, or not a date")
    return value


def _words(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise jose.Unverifiable(f"{name} is not a string")
    return _split(value)


@lru_cache(maxsize=256)
def _split(words: str) -> frozenset[str]:
    """One set for all the tokens that have the same."""
    return frozenset(words.split())


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
        keys.append(_recurring(CLIENT, _text(parent, "client_id")))
        if "jti" in parent:
            keys.append(key(JTI, _text(parent, "jti")))
    return keys


def _policies(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not _TEXT.issuperset(map(type, value)):
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
