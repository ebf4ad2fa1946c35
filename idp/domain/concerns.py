"""The lines of a receipt, from what a sign-out reaches: the same for preview and act."""

from datetime import UTC, datetime

from idp.domain.reach import Reach
from idp.domain.receipts import CLOSING, ENDED, LIVES, SURVIVES, TELLING, Concern
from idp.policies import Ends
from idp.store.sessions import Line, Participation, Session

ACCESS_STATES = {Ends.AT_ONCE: ENDED, Ends.FEED: CLOSING, Ends.AT_EXPIRY: LIVES}


def concerns(reached: Reach, now: datetime) -> list[Concern]:
    """Everything a sign-out concerns, in the order in which a person asks."""
    return [
        *(_session(row) for row in reached.sessions),
        *(_app(row) for row in reached.participations),
        *(_line(row) for row in reached.lines),
        *(concern for row in reached.lines for concern in _access(row, now)),
        *(_survivor(row) for row in reached.survivors),
    ]


def _session(row: Session) -> Concern:
    return Concern(kind="session", name=row.user_agent, reference=row.id, state=ENDED)


def _app(row: Participation) -> Concern:
    state = TELLING if row.backchannel_logout_uri is not None else ENDED
    return Concern(kind="app", name=row.client_name, reference=row.sid, state=state)


def _line(row: Line) -> Concern:
    kind = "offline" if row.offline else "line"
    return Concern(kind=kind, name=row.client_name, reference=row.id, state=ENDED)


def _access(row: Line, now: datetime) -> list[Concern]:
    """One for each API that holds access tokens of a line: they end at once, as soon as its
    guards hear of it, or when the last of them runs out.
    """
    return [
        Concern(
            kind="access",
            name=row.client_name,
            reference=row.id,
            state=ACCESS_STATES[Ends(out["ends"])],
            until=datetime.fromtimestamp(out["until"], UTC),
            audience=audience,
        )
        for audience, out in sorted(row.access.items())
        if out["until"] > now.timestamp()
    ]


def _survivor(row: Line) -> Concern:
    return Concern(
        kind="offline",
        name=row.client_name,
        reference=row.id,
        state=SURVIVES,
        until=row.idle_expires_at,
    )
