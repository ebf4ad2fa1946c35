"""`session_expiry`: when the session at the provider is over, so that an app's own does not
outlive it (OpenID Connect Enterprise Extensions 1.0; IPSIE SL1).
"""

from collections.abc import Mapping
from typing import Any, Protocol

from idp.domain import Provider
from idp.domain.clients import ClientView

NAME = "session_expiry"


class OfSession(Protocol):
    """What an ID token is about, as far as it matters here."""

    @property
    def sid(self) -> str: ...
    @property
    def claims_request(self) -> Mapping[str, Any]: ...


def session_expiry(op: Provider, client: ClientView, about: OfSession) -> dict[str, int]:
    """The claim, for clients that ask for it: in their metadata, or in `claims`. It moves with
    the session when that is used; of a session that is over there is none.
    """
    asked = NAME in (about.claims_request.get("id_token") or {})
    if not asked and client.details.get(NAME) is not True:
        return {}
    participation = op.sessions.participation(about.sid)
    session = op.sessions.get(participation.session_id) if participation is not None else None
    if session is None or session.ended_at is not None:
        return {}
    return {NAME: int(min(session.idle_expires_at, session.expires_at).timestamp())}
