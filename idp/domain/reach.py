"""How far a sign-out reaches: what would end, computed the same for the preview and the act."""

from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select, union

from idp.domain.approvals import ALLOWED, Approval
from idp.domain.codes import AUTHORIZATION
from idp.domain.line_statements import AFRESH
from idp.store import DbSession
from idp.store.sessions import Code, Line, Participation, Session

APP = "app"
BROWSER = "browser"
DEVICE = "device"
EVERYWHERE = "everywhere"
ELSEWHERE = "elsewhere"
APP_EVERYWHERE = "app_everywhere"
LINE = "line"
SELECTION = "selection"

Condition = ColumnElement[bool]
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is meant. Several narrow each other; none means all there is.

    `address` is the one a session was opened from, `since` the moment from which on things
    began, `but` a session that is spared.
    """

    session_id: str | None = None
    client_id: str | None = None
    line_id: str | None = None
    jkt: str | None = None
    address: str | None = None
    since: datetime | None = None
    but: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """The names of those that are set."""
        narrowing = (item.name for item in fields(Filters))
        return frozenset(name for name in narrowing if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope(Filters):
    """Which sign-out of whom is meant."""

    kind: str
    account_id: str


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


KINDS = {
    frozenset[str](): EVERYWHERE,
    frozenset({"but"}): ELSEWHERE,
    frozenset({"session_id"}): BROWSER,
    frozenset({"session_id", "client_id"}): APP,
    frozenset({"client_id"}): APP_EVERYWHERE,
    frozenset({"jkt"}): DEVICE,
    frozenset({"line_id"}): LINE,
}


def scope_of(account_id: str, filters: Filters) -> Scope:
    """The sign-out of one person that these filters mean, by its own name if it has one."""
    kind = KINDS.get(filters.named, SELECTION)
    return Scope(kind=kind, account_id=account_id, **asdict(filters))


def accounts_within(session: DbSession, filters: Filters) -> list[str]:
    """The people of whom the filters name something that is not over."""
    owners = (
        (Session.account_id, _sessions(filters)),
        (Participation.account_id, _participations(filters)),
        (Line.account_id, _lines(filters)),
    )
    queries = [select(owner).where(*named) for owner, named in owners if named is not None]
    return sorted(session.scalars(union(*queries)))


def reach(session: DbSession, scope: Scope, *, lock: bool = False) -> Reach:
    """What the scope covers now, read afresh. With `lock`, nothing can change until the
    transaction ends.
    """
    sessions: list[Session] = []
    participations: list[Participation] = []
    if (named := _sessions(scope)) is not None:
        found = select(Session).where(Session.account_id == scope.account_id, *named)
        sessions = _read(session, found.order_by(Session.id), lock=lock)
    if (named := _participations(scope)) is not None:
        part = select(Participation).where(Participation.account_id == scope.account_id, *named)
        participations = _read(session, part.order_by(Participation.created_at), lock=False)
    of_person = select(Line).where(Line.account_id == scope.account_id, *_lines(scope))
    lines = _read(session, of_person.order_by(Line.id), lock=lock)
    spared = scope.kind in (APP, BROWSER)
    return Reach(
        sessions,
        participations,
        [line for line in lines if not (spared and line.offline)],
        [line for line in lines if spared and line.offline],
    )


def hold_sessions(session: DbSession, scope: Scope) -> None:
    """Wait for whoever is minting under the sessions that end; nobody else begins to."""
    named = _sessions(scope)
    if named is not None and session.get_bind().dialect.name != "sqlite":
        held = select(Session.id).where(Session.account_id == scope.account_id, *named)
        session.execute(held.order_by(Session.id).with_for_update())


def codes(scope: Scope) -> list[Condition] | None:
    """Which codes on their way back to an app buy nothing after the sign-out (COD-08)."""
    if scope.line_id is not None:
        return None
    details = Code.details
    return [
        Code.kind == AUTHORIZATION,
        Code.spent_at.is_(None),
        details["account_id"].as_string() == scope.account_id,
        *_equal(details["client_id"].as_string(), scope.client_id),
        *_equal(details["dpop_jkt"].as_string(), scope.jkt),
        *_of_session(scope, details["session_id"].as_string()),
        *_begun(scope, Code.created_at),
    ]


def approvals(scope: Scope) -> list[Condition] | None:
    """Which answers an app has not fetched yet buy nothing after the sign-out, likewise."""
    if scope.line_id is not None or scope.jkt is not None:
        return None
    return [
        Approval.state == ALLOWED,
        Approval.spent_at.is_(None),
        Approval.account_id == scope.account_id,
        *_equal(Approval.client_id, scope.client_id),
        *_of_session(scope, Approval.session_id),
        *_begun(scope, Approval.created_at),
    ]


def _read(session: DbSession, query: Select[R], *, lock: bool) -> list[R]:
    locked = query.with_for_update() if lock else query
    return list(session.scalars(locked, execution_options=AFRESH))


def _sessions(filters: Filters) -> list[Condition] | None:
    """A session ends when nothing smaller is named."""
    if filters.named & {"client_id", "line_id", "jkt"}:
        return None
    return [
        Session.ended_at.is_(None),
        *_of_session(filters, Session.id),
        *_begun(filters, Session.created_at),
    ]


def _participations(filters: Filters) -> list[Condition] | None:
    """A client leaves a session when nothing smaller is named."""
    if filters.named & {"line_id", "jkt"}:
        return None
    return [
        Participation.ended_at.is_(None),
        *_equal(Participation.client_id, filters.client_id),
        *_of_session(filters, Participation.session_id),
        *_begun(filters, Participation.created_at),
    ]


def _lines(filters: Filters) -> list[Condition]:
    return [
        Line.ended_at.is_(None),
        *_equal(Line.id, filters.line_id),
        *_equal(Line.jkt, filters.jkt),
        *_equal(Line.client_id, filters.client_id),
        *_of_session(filters, Line.session_id),
        *_begun(filters, Line.created_at),
    ]


def _of_session(filters: Filters, column: SQLColumnExpression[Any]) -> list[Condition]:
    conditions = _equal(column, filters.session_id)
    if filters.but is not None:
        conditions.append(column != filters.but)
    if filters.address is not None:
        opened = select(Session.id).where(Session.address == filters.address)
        conditions.append(column.in_(opened))
    return conditions


def _begun(filters: Filters, column: SQLColumnExpression[datetime]) -> list[Condition]:
    return [] if filters.since is None else [column >= filters.since]


def _equal(column: SQLColumnExpression[Any], value: str | None) -> list[Condition]:
    return [] if value is None else [column == value]
