"""How far a sign-out reaches: what would end, computed the same for the preview and the act."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from idp.store import DbSession
from idp.store.sessions import Line, Participation, Session

APP = "app"
BROWSER = "browser"
EVERYWHERE = "everywhere"
ELSEWHERE = "elsewhere"
APP_EVERYWHERE = "app_everywhere"
LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which sign-out is meant. `session_id` is the session meant, or the one to spare."""

    kind: str
    account_id: str
    session_id: str | None = None
    client_id: str | None = None
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Everything one sign-out ends, and the offline lines it leaves alone."""

    sessions: list[Session] = field(default_factory=list)
    participations: list[Participation] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    survivors: list[Line] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not (self.sessions or self.participations or self.lines)


def reach(session: DbSession, scope: Scope, *, lock: bool = False) -> Reach:
    """What the scope covers now. With `lock`, nothing can change until the transaction ends."""
    sessions = _open_sessions(session, scope, lock)
    participations = _open_participations(session, scope)
    lines = _open_lines(session, scope, lock)
    if scope.kind in (APP, BROWSER):
        return Reach(
            sessions,
            participations,
            [line for line in lines if not line.offline],
            [line for line in lines if line.offline],
        )
    return Reach(sessions, participations, lines)


def _open_sessions(session: DbSession, scope: Scope, lock: bool) -> list[Session]:
    if scope.kind in (APP, APP_EVERYWHERE, LINE):
        return []
    query = select(Session).where(
        Session.account_id == scope.account_id,
        Session.ended_at.is_(None),
        *_session_condition(scope, Session.id),
    )
    ordered = query.order_by(Session.id)
    return list(session.scalars(ordered.with_for_update() if lock else ordered))


def _open_participations(session: DbSession, scope: Scope) -> list[Participation]:
    if scope.kind == LINE:
        return []
    conditions = [
        Participation.account_id == scope.account_id,
        Participation.ended_at.is_(None),
        *_session_condition(scope, Participation.session_id),
    ]
    if scope.client_id is not None:
        conditions.append(Participation.client_id == scope.client_id)
    query = select(Participation).where(*conditions)
    return list(session.scalars(query.order_by(Participation.created_at)))


def _open_lines(session: DbSession, scope: Scope, lock: bool) -> list[Line]:
    conditions = [Line.account_id == scope.account_id, Line.ended_at.is_(None)]
    if scope.kind == LINE:
        conditions.append(Line.id == scope.line_id)
    conditions.extend(_session_condition(scope, Line.session_id))
    if scope.client_id is not None:
        conditions.append(Line.client_id == scope.client_id)
    query = select(Line).where(*conditions).order_by(Line.id)
    return list(session.scalars(query.with_for_update() if lock else query))


def _session_condition(
    scope: Scope, column: InstrumentedAttribute[str]
) -> list[ColumnElement[bool]]:
    if scope.kind in (APP, BROWSER):
        return [column == scope.session_id]
    if scope.kind == ELSEWHERE:
        return [column != scope.session_id]
    return []
