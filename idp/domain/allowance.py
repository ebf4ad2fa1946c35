"""What a line of refresh tokens begins with: what was allowed, and where it was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.crypto.confirmation import UNBOUND, Confirmation
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
