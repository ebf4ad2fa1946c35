"""What we remember and do. `Provider`, called `op` everywhere, holds every collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp.domain.accounts import Accounts
    from idp.domain.clients import Clients
    from idp.domain.codes import Codes
    from idp.domain.events import Events
    from idp.domain.grants import Grants
    from idp.domain.keys import Keys
    from idp.domain.resources import Resources
    from idp.domain.rules import Rules
    from idp.domain.sessions import Sessions
    from idp.domain.sign_out import SignOuts
    from idp.domain.throttle import Throttle
    from idp.domain.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The OP: explicit, typed, built once in `app.py`, and again by a test in three lines."""

    rules: Rules
    accounts: Accounts
    clients: Clients
    resources: Resources
    sessions: Sessions
    grants: Grants
    codes: Codes
    tokens: Tokens
    keys: Keys
    events: Events
    throttle: Throttle
    sign_outs: SignOuts
