"""The one gate: whether something issued is still alive (promise P1).

Code redemption, refresh, introspection, userinfo, revocation and the browser's own session
all ask here, and nowhere else. What cannot be found is over: unknown means no.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, literal, select

from idp.store import DbSession, Prebuilt
from idp.store.clients import Client
from idp.store.people import Account
from idp.store.sessions import Denied, Grant, Line, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What something descends from. Leave out what it does not descend from."""

    client_id: str | None = None
    account_id: str | None = None
    session_id: str | None = None
    grant_id: str | None = None
    line_id: str | None = None
    jti: str | None = None
    generation: int | None = None
    parents: tuple["Lineage", ...] = ()
    """The tokens it was exchanged for (RFC 8693): their clients, and the tokens themselves."""


Facts = Any  # a row of the queries below


class Found(NamedTuple):
    """None when alive, else why not in one word; and what the answer was read from."""

    ended: str | None
    facts: Facts


_one = select(literal(1).label("one")).subquery()
_ASKED = select(
    Client.client_id.label("client"),
    Client.disabled_at.label("client_disabled"),
    Account.id.label("account"),
    Account.disabled_at.label("account_disabled"),
    Account.generation.label("generation"),
    Session.id.label("session"),
    Session.ended_at.label("session_ended"),
    Session.idle_expires_at.label("session_idle"),
    Session.expires_at.label("session_until"),
    Session.generation.label("session_generation"),
    Grant.id.label("grant"),
    Grant.ended_at.label("grant_ended"),
    Line.id.label("line"),
    Line.offline.label("offline"),
    Line.ended_at.label("line_ended"),
    Line.expires_at.label("line_until"),
    Line.generation.label("line_generation"),
    Denied.jti.label("denied"),
).select_from(
    _one.outerjoin(Client, Client.client_id == bindparam("client_id"))
    .outerjoin(Line, Line.id == bindparam("line_id"))
    .outerjoin(Session, Session.id == func.coalesce(bindparam("session_id"), Line.session_id))
    .outerjoin(
        Account,
        Account.id == func.coalesce(bindparam("account_id"), Line.account_id, Session.account_id),
    )
    .outerjoin(Grant, Grant.id == func.coalesce(bindparam("grant_id"), Line.grant_id))
    .outerjoin(Denied, Denied.jti == bindparam("jti"))
)
_FACTS = Prebuilt(_ASKED)
# Whoever holds the line mints under it, and must know what is out already.
_FACTS_HELD = Prebuilt(_ASKED.add_columns(Line.access, Line.access_until))

_LINE_OF = Prebuilt(select(Line.account_id, Line.session_id).where(Line.id == bindparam("id")))
_account = select(Account.id).where(Account.id == bindparam("account_id"))
_session = select(Session.id).where(Session.id == bindparam("session_id"))
_line = select(Line.id).where(Line.id == bindparam("line_id"))
# One question locks all three, in the order in which its columns stand.
_HOLD = Prebuilt(
    select(
        select(_account.with_for_update(read=True).cte("a").c.id).scalar_subquery().label("a"),
        select(_session.with_for_update(read=True).cte("s").c.id).scalar_subquery().label("s"),
        select(_line.with_for_update().cte("l").c.id).scalar_subquery().label("l"),
    )
)


class Live:
    """Answers one question: is this still alive, and if not, why not?"""

    def __init__(self, session: DbSession) -> None:
        self._session = session

    def ended(self, lineage: Lineage, now: datetime, *, lock: bool = False) -> str | None:
        """None when alive, else the reason in one word.

        With `lock`, a sign-out that runs at the same time waits until this transaction is
        over, or has been seen by it: nothing is minted beside it (CON-02).
        """
        return self.found(lineage, now, lock=lock).ended

    def found(self, lineage: Lineage, now: datetime, *, lock: bool = False) -> Found:
        """The same, and with `lock` what the line's newest tokens are."""
        if lock:
            self._hold(lineage)
        facts = self._session().row(
            _FACTS_HELD if lock else _FACTS,
            client_id=lineage.client_id,
            account_id=lineage.account_id,
            session_id=lineage.session_id,
            grant_id=lineage.grant_id,
            line_id=lineage.line_id,
            jti=lineage.jti,
        )
        ended = (
            _client_ended(lineage, facts)
            or _account_ended(lineage, facts)
            or _line_ended(lineage, facts, now)
            or _session_ended(lineage, facts, now)
            or self._parent_ended(lineage, now)
        )
        return Found(ended, facts)

    def _parent_ended(self, lineage: Lineage, now: datetime) -> str | None:
        """What became of a dead token is dead, and is not exchanged any further (EXC-03)."""
        ends = (self.ended(parent, now) for parent in lineage.parents)
        return next((ended for ended in ends if ended is not None), None)

    def _hold(self, lineage: Lineage) -> None:
        """Rows in one order everywhere: account, session, line. SQLite has one writer anyway."""
        work, line = self._session(), None
        work.begin_writing()
        if work.connection().dialect.name == "sqlite":
            return
        account_id, session_id = lineage.account_id, lineage.session_id
        if lineage.line_id is not None and (account_id is None or session_id is None):
            line = work.row(_LINE_OF, id=lineage.line_id)
        work.rows(
            _HOLD,
            account_id=account_id or (line.account_id if line else None),
            session_id=session_id or (line.session_id if line else None),
            line_id=lineage.line_id,
        )


def _client_ended(lineage: Lineage, facts: Facts) -> str | None:
    if lineage.jti is not None and facts.denied is not None:
        return "revoked"
    if lineage.client_id is None:
        return None
    if facts.client is None or facts.client_disabled is not None:
        return "client_disabled"
    return None


def _account_ended(lineage: Lineage, facts: Facts) -> str | None:
    if lineage.account_id is None and lineage.line_id is None and lineage.session_id is None:
        return None
    if facts.account is None or facts.account_disabled is not None:
        return "account_disabled"
    if lineage.generation is not None and facts.generation != lineage.generation:
        return "signed_out_everywhere"
    return None


def _line_ended(lineage: Lineage, facts: Facts, now: datetime) -> str | None:
    if lineage.grant_id is not None or facts.line is not None:
        if facts.grant is None or facts.grant_ended is not None:
            return "grant_withdrawn"
    if lineage.line_id is None:
        return None
    if facts.line is None or facts.line_ended is not None or facts.line_until <= now:
        return "line_ended"
    if facts.line_generation != facts.generation:
        return "signed_out_everywhere"
    return None


def _session_ended(lineage: Lineage, facts: Facts, now: datetime) -> str | None:
    if facts.offline or (lineage.session_id is None and lineage.line_id is None):
        return None
    if facts.session is None or facts.session_ended is not None:
        return "session_ended"
    if facts.session_idle <= now or facts.session_until <= now:
        return "session_expired"
    if facts.generation is not None and facts.session_generation != facts.generation:
        return "signed_out_everywhere"
    return None
