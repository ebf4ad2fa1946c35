"""How long a refresh token will do (draft-ietf-oauth-refresh-token-expiration): said with every
one, so that an app need not find out by being refused.
"""

from datetime import datetime

from idp.domain import Provider
from idp.domain.grants import LineAsRead
from idp.domain.sessions import Ends


def refresh_expiry(
    op: Provider, line: LineAsRead, now: datetime, session: Ends | None = None
) -> dict[str, int]:
    """In seconds from now: how long it may rest unused, and how long it can be renewed at all.

    A line that hangs under a browser's session ends with it; a session that is in use rests
    later than is said here. `session` is how long that lives, where it is known already.
    """
    rests, ends = op.grants.idle_end(line, now), line.expires_at
    if not line.offline:
        session = session or op.sessions.ends(line.session_id)
        if session is not None:
            ends = min(ends, session.absolute)
            rests = min(rests, session.idle, ends)
    return {
        "refresh_token_timeout": int((rests - now).total_seconds()),
        "authorization_expires_in": int((ends - now).total_seconds()),
    }
