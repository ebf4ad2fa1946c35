"""The claims parameter: single claims, how badly they are wanted, and with which values
(OpenID Connect Core section 5.5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.crypto.compact import Unverifiable, json_object
from idp.domain.profile import CLAIMS
from idp.protocol.errors import InvalidRequest

TOLD = frozenset(CLAIMS) | {"updated_at"}
OF_SESSION = frozenset({"session_expiry"})
"""Told in the ID token, and not of the person: nobody has to agree to it."""
MEMBERS = ("userinfo", "id_token")
QUALIFIERS = ("essential", "value", "values")
MOST_VALUES = 10

Wanted = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimsRequest:
    """What was asked: the claims to tell by member, and what steers the sign-in itself."""

    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    sub: str | None = None
    acr_values: tuple[str, ...] = ()
    acr_essential: bool = False


def read(text: str) -> ClaimsRequest:
    """The parameter as it was meant; raises `InvalidRequest` for one that means nothing.

    Claims that nobody knows are ignored (section 5.5).
    """
    try:
        asked = json_object(text.encode(errors="replace"))
    except Unverifiable:
        raise InvalidRequest("claims is not a JSON object") from None
    members = {name: _member(asked[name]) for name in MEMBERS if asked.get(name) is not None}
    told = {
        name: {claim: wish for claim, wish in wishes.items() if claim in TOLD | OF_SESSION}
        for name, wishes in members.items()
    }
    acr = members.get("id_token", {}).get("acr") or {}
    values = _strings(acr)
    return ClaimsRequest(
        claims=told,
        sub=_sub(members.values()),
        acr_values=values,
        acr_essential=acr.get("essential") is True and bool(values),
    )


def fitting(request: Wanted, member: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that were asked for by name, where they have a value that was asked for: one
    that is wanted with another value is left out (section 5.5.1).
    """
    asked = request.get(member) or {}
    return {
        name: known[name]
        for name, wish in asked.items()
        if name in known and _has_value(known[name], wish or {})
    }


def names(request: Wanted) -> list[str]:
    """Every claim of a person that is asked for, wherever it is to be told."""
    return sorted({name for member in request.values() for name in member} - OF_SESSION)


def _member(wishes: object) -> dict[str, dict[str, Any] | None]:
    if not isinstance(wishes, dict):
        raise InvalidRequest("a member of claims is not a JSON object")
    return {str(name): _wish(wish) for name, wish in wishes.items()}


def _wish(wish: object) -> dict[str, Any] | None:
    """How a claim is wanted: null, or an object of which only three members mean anything."""
    if wish is None:
        return None
    if not isinstance(wish, dict):
        raise InvalidRequest("a claim is asked for in a way that means nothing")
    if not isinstance(wish.get("essential", False), bool):
        raise InvalidRequest("essential is neither true nor false")
    if not isinstance(wish.get("values", []), list):
        raise InvalidRequest("values is not a list")
    return {name: wish[name] for name in QUALIFIERS if name in wish}


def _has_value(value: object, wish: Wanted) -> bool:
    allowed = [*wish.get("values", ()), *([wish["value"]] if "value" in wish else ())]
    return not allowed or any(type(one) is type(value) and one == value for one in allowed)


def _strings(wish: Wanted) -> tuple[str, ...]:
    values = wish.get("values", [wish["value"]] if "value" in wish else [])
    if not all(isinstance(value, str) for value in values):
        raise InvalidRequest("the acr values are not strings")
    return tuple(values[:MOST_VALUES])


def _sub(members: Iterable[Mapping[str, Any]]) -> str | None:
    """Who must be signed in, if one person is named (section 5.5.1)."""
    named = {
        wish["value"]
        for member in members
        if (wish := member.get("sub")) and isinstance(wish.get("value"), str)
    }
    if len(named) > 1:
        raise InvalidRequest("claims names different people")
    return named.pop() if named else None
