"""What a route asks of a token, and the part of a request that is judged.

A need is made when the application is put together: a mistake in it is an exception at
start, never an open door at run time (RSG-10).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from idp.policies.model import Asks

_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


class Freshness(StrEnum):
    """Who must be asked at each call, besides whom the token's own policies ask."""

    OFFLINE = "offline"
    """Nobody: what the token says is good enough until it expires."""

    STATUS_LIST = "status_list"
    """A signed list of what was taken back, never older than it says; no credentials needed."""

    FEED = "feed"
    """The replica of what ended, never older than the guard's `max_silence`."""

    INTROSPECT = "introspect"
    """The issuer, at every call."""


_ASKS = {
    Freshness.OFFLINE: Asks.NOTHING,
    Freshness.STATUS_LIST: Asks.STATUS_LIST,
    Freshness.FEED: Asks.FEED,
    Freshness.INTROSPECT: Asks.PROVIDER,
}


@dataclass(frozen=True, slots=True)
class Need:
    """All of these scopes, all of these roles, one of these `acr` values, a sign-in this recent,
    and authorization details of all of these types (RFC 9396).
    """

    scopes: frozenset[str]
    roles: frozenset[str]
    acr_values: tuple[str, ...]
    max_age: int | None
    freshness: Freshness
    asks: Asks
    details: frozenset[str]
    scope: str
    """The scopes as a challenge names them."""

    steps_up: bool
    """Whether it matters how, and how lately, the person has signed in."""


class Arrival(NamedTuple):
    """A request, as far as it is judged: every Authorization and DPoP header, method, address, and
    the certificate its client has shown, in PEM.
    """

    authorization: Sequence[str]
    method: str
    url: str
    dpop: Sequence[str] = ()
    certificate: str | None = None


def need(
    scopes: Iterable[str],
    *,
    freshness: str = Freshness.FEED,
    roles: Iterable[str] = (),
    acr_values: Iterable[str] = (),
    max_age: int | None = None,
    details: Iterable[str] = (),
) -> Need:
    """What a route asks for; raises TypeError or ValueError for what cannot be meant."""
    named, wanted = _names("scopes", scopes), _names("roles", roles, any_text=True)
    types, levels = _names("details", details), _names("acr_values", acr_values)
    if not named and not wanted and not types:
        raise TypeError("name the scopes a caller needs: require('notes:read')")
    if max_age is not None and (isinstance(max_age, bool) or not isinstance(max_age, int)):
        raise TypeError("max_age is a number of seconds")
    if max_age is not None and max_age < 0:
        raise ValueError("max_age cannot be negative")
    fresh = Freshness(freshness)
    return Need(
        scopes=frozenset(named),
        roles=frozenset(wanted),
        acr_values=levels,
        max_age=max_age,
        freshness=fresh,
        asks=_ASKS[fresh],
        details=frozenset(types),
        scope=" ".join(named),
        steps_up=max_age is not None or bool(levels),
    )


def _names(what: str, values: Iterable[str], *, any_text: bool = False) -> tuple[str, ...]:
    if isinstance(values, str | bytes):
        raise TypeError(f"{what} are several names, not one string")
    names = tuple(values)
    for name in names:
        if not isinstance(name, str) or not name:
            raise TypeError(f"{what} are names, and {name!r} is none")
        if not any_text and _SCOPE.fullmatch(name) is None:
            raise ValueError(f"{name!r} has characters that no challenge can carry")
    return names
