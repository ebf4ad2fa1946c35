"""What a token lets its bearer do, beside what a route needs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from idp.guard.needs import Need
from idp.policies.model import Asks


class Access(NamedTuple):
    """A request that is let through: what its token says, and who vouched for it."""

    claims: Mapping[str, Any]
    scopes: frozenset[str]
    roles: frozenset[str]
    asked: Asks
    dpop_nonce: str | None = None
    staleness: float | None = None
    """How old the status list was, where one was asked; else that is the guard's to say."""

    @property
    def sub(self) -> str:
        return str(self.claims["sub"])

    def details(self, of: str) -> list[dict[str, Any]]:
        """The authorization details of one type that the token has (RFC 9396 section 9)."""
        return [detail for detail in _details(self.claims) if detail.get("type") == of]


def has_details(said: Mapping[str, Any], need: Need) -> bool:
    """Whether there are authorization details of all types that are needed."""
    return need.details <= {str(detail.get("type")) for detail in _details(said)}


def signed_in_well(said: Mapping[str, Any], need: Need, now: datetime) -> bool:
    """Whether the person signed in strongly enough, and recently enough (RFC 9470)."""
    if need.acr_values and said.get("acr") not in need.acr_values:
        return False
    if need.max_age is None:
        return True
    at = said.get("auth_time")
    if isinstance(at, bool) or not isinstance(at, int | float):
        return False
    return now.timestamp() - at <= need.max_age


def _details(claims: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = claims.get("authorization_details")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
