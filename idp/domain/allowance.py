"""What a line of refresh tokens begins with, and what becomes of it with each token."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.crypto.confirmation import UNBOUND, Confirmation
from idp.policies import PolicySet
from idp.store import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one authorization gave: the facts a line is started with."""

    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    claims_request: Json
    offline: bool
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    bound_to: Confirmation = UNBOUND
    lives: timedelta | None = None  # where there is no refresh token, not as long as one would
    authorization_details: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """Where a line begins that no browser stands behind."""

    account_id: str
    client_id: str
    client_name: str
    sub: str
    session_id: str = ""
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Out:
    """An access token that is given out: for which APIs, how it ends and when. `within` is how
    long APIs that check offline may go on after a sign-out.
    """

    audiences: Iterable[str]
    policies: PolicySet
    until: datetime
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What whoever holds a line has read of it, and the new end of its rest, if it moves."""

    out: Any  # a row with `access` and `access_until`
    idle: datetime | None = None
