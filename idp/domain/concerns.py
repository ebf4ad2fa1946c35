"""The lines of a receipt, from what a sign-out reaches: the same for preview and act."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from idp.domain.reach import Reach
from idp.domain.receipts import ASKED, CLOSING, ENDED, LIVES, SURVIVES, TELLING, Concern
from idp.policies import Ends
from idp.store.sessions import Line, Participation, Session

ACCESS_STATES = {Ends.AT_ONCE: ENDED, Ends.FEED: CLOSING, Ends.AT_EXPIRY: LIVES}


def concerns(reached: Reach, now: datetime, seen_in: str | None = None) -> list[Concern]:
    """Everything a sign-out concerns, in the order in which a person asks. `seen_in` is the
    session whose browser is shown the last page, and asks the apps in it.
    """
    return [
        *(_session(row) for row in reached.sessions),
        *(concern for row in reached.participations for concern in _app(row, seen_in)),
        *(_line(row) for row in reached.lines),
        *(concern for row in reached.lines for concern in _access(row, now)),
        *(_survivor(row) for row in reached.survivors),
    ]


def _session(row: Session) -> Concern:
    return Concern(kind="session", name=row.user_agent, reference=row.id, state=ENDED)


def _app(row: Participation, seen_in: str | None) -> list[Concern]:
    """An app is told by us, or asked by the browser, or both; of one that can be neither, only
    that it has ended here.
    """
    asked = row.frontchannel_logout_uri is not None and row.session_id == seen_in
    states = {"app": TELLING if row.backchannel_logout_uri is not None else ENDED}
    if asked:
        states["frontchannel"] = ASKED
        states = {kind: state for kind, state in states.items() if state != ENDED}
    return [
        Concern(kind=kind, name=row.client_name, reference=row.sid, state=state)
        for kind, state in states.items()
    ]


def _line(row: Line) -> Concern:
    kind = "offline" if row.offline else "line"
    return Concern(kind=kind, name=row.client_name, reference=row.id, state=ENDED)


def _access(row: Line, now: datetime) -> list[Concern]:
    """One for each API that holds access tokens of a line: they end at once, as soon as its
    guards hear of it, or when the last of them runs out. An API that checks offline may go on
    for as long as the status list counts that it has.
    """
    return [
        Concern(
            kind="access",
            name=row.client_name,
            reference=row.id,
            state=LIVES if "within" in out else ACCESS_STATES[Ends(out["ends"])],
            until=_last(out, now),
            audience=audience,
        )
        for audience, out in sorted(row.access.items())
        if out["until"] > now.timestamp()
    ]


def _last(out: Mapping[str, int], now: datetime) -> datetime:
    until = datetime.fromtimestamp(out["until"], UTC)
    if "within" not in out or Ends(out["ends"]) is Ends.AT_EXPIRY:
        return until
    return min(until, now + timedelta(seconds=out["within"]))


def _survivor(row: Line) -> Concern:
    return Concern(
        kind="offline",
        name=row.client_name,
        reference=row.id,
        state=SURVIVES,
        until=row.idle_expires_at,
    )
