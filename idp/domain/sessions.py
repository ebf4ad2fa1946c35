"""Browser sessions: open, touch, step up, take part. Ending one is a sign-out's business."""

from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from sqlalchemy import bindparam, delete, select, update

from idp.crypto.secrets import Digest, Handle, digest, new_handle, new_id
from idp.domain.live import Lineage, Live
from idp.domain.rules import Rules
from idp.store import DbSession, Prebuilt, writing
from idp.store.people import Account
from idp.store.sessions import Line, Participation, Session

__all__ = ["Closed", "Ends", "Participant", "Participation", "Session", "Sessions", "SignedIn"]

COOKIE_PREFIX = "ss_"
TOUCHED_EVERY = timedelta(minutes=1)
ENDED_KEPT = timedelta(days=1)

_ENDS = Prebuilt(
    select(Session.idle_expires_at, Session.expires_at).where(Session.id == bindparam("s"))
)
_BY_COOKIE = select(Session).where(Session.cookie_digest == bindparam("d"))


class Ends(NamedTuple):
    """When a session ends: if it is not used, and in any case."""

    idle: datetime
    absolute: datetime


class Closed(Exception):
    """The account is disabled: nobody signs in to it any more."""


class SignedIn(Protocol):
    """What a login method has proved: who, how, how strongly, and when."""

    @property
    def account_id(self) -> str: ...
    @property
    def amr(self) -> tuple[str, ...]: ...
    @property
    def acr(self) -> str: ...
    @property
    def at(self) -> datetime: ...


class Participant(Protocol):
    """What a session must know of a client that takes part in it."""

    @property
    def client_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def backchannel_logout_uri(self) -> str | None: ...
    @property
    def frontchannel_logout_uri(self) -> str | None: ...
    @property
    def id_token_alg(self) -> str: ...
    def sub_of(self, account_id: str) -> str: ...


class Sessions:
    """Who is signed in in which browser. Only a hash of the cookie is kept."""

    def __init__(self, session: DbSession, live: Live, rules: Rules) -> None:
        self._session = session
        self._live = live
        self._rules = rules

    def open(
        self, proof: SignedIn, *, user_agent: str, address: str, now: datetime
    ) -> tuple[Session, Handle]:
        """A person has signed in: a new session, and the cookie that stands for it.

        Raises `Closed` when the account was disabled since the proof; a disabling that runs
        at the same time waits, and then finds this session to end (CON-03).
        """
        writing(self._session)
        generation = self._generation(proof.account_id)
        cookie = new_handle(COOKIE_PREFIX)
        row = Session(
            id=new_id(),
            cookie_digest=digest(cookie),
            account_id=proof.account_id,
            generation=generation,
            auth_time=proof.at,
            acr=proof.acr,
            amr=list(proof.amr),
            user_agent=user_agent[:255],
            address=address[:64],
            created_at=now,
            last_seen_at=now,
            idle_expires_at=now + self._rules.session_idle,
            expires_at=now + self._rules.session_absolute,
        )
        self._session.add(row)
        self._session.flush()
        return row, cookie

    def find(self, cookie: str | None, now: datetime) -> Session | None:
        """The session a cookie stands for, if it is alive; anything else is no session."""
        if not cookie or not cookie.startswith(COOKIE_PREFIX):
            return None
        row = self._by_digest(digest(cookie))
        if row is None or self._live.ended(Lineage(session_id=row.id), now) is not None:
            return None
        return row

    def step_up(self, row: Session, proof: SignedIn, now: datetime) -> Handle:
        """The person proved themselves again: same session, new cookie, the old one is dead."""
        if proof.account_id != row.account_id:
            raise ValueError("a session never changes its person")
        writing(self._session)
        self._generation(proof.account_id)
        cookie = new_handle(COOKIE_PREFIX)
        row.cookie_digest = digest(cookie)
        row.auth_time = proof.at
        row.acr = proof.acr
        row.amr = list(proof.amr)
        self._move(row, now)
        self._session.flush()
        return cookie

    def touch(self, row: Session, now: datetime) -> None:
        """The session is in use: its idle end moves, its absolute end does not."""
        if now - row.last_seen_at < TOUCHED_EVERY:
            return
        writing(self._session)
        self._move(row, now)
        self._session.flush()

    def used(self, line_id: str, now: datetime) -> None:
        """A token of this line was used at an API where use counts: the idle ends of the line
        and of its session move, written down at most once per interval.
        """
        line = self._session.get(Line, line_id, populate_existing=True)
        if line is None or now - line.last_used_at < self._rules.sliding_interval:
            return
        writing(self._session)
        self._session.execute(
            update(Line)
            .where(Line.id == line_id, Line.ended_at.is_(None))
            .values(
                last_used_at=now, idle_expires_at=min(now + self._rules.line_idle, line.expires_at)
            )
        )
        row = self._session.get(Session, line.session_id, populate_existing=True)
        if row is not None and not line.offline and row.ended_at is None:
            self._move(row, now)
        self._session.flush()

    def of_account(self, account_id: str, now: datetime) -> list[Session]:
        """Where a person is signed in, the newest use first."""
        query = (
            select(Session)
            .where(
                Session.account_id == account_id,
                Session.ended_at.is_(None),
                Session.idle_expires_at > now,
                Session.expires_at > now,
            )
            .order_by(Session.last_seen_at.desc())
        )
        return list(self._session.scalars(query))

    def participate(
        self, session_id: str, account_id: str, client: Participant, now: datetime
    ) -> Participation:
        """This client takes part in this session, under a `sid` of its own."""
        writing(self._session)
        found = self._session.scalars(
            select(Participation).where(
                Participation.session_id == session_id,
                Participation.client_id == client.client_id,
                Participation.ended_at.is_(None),
            )
        ).one_or_none()
        if found is None:
            found = Participation(
                sid=new_id(),
                session_id=session_id,
                account_id=account_id,
                client_id=client.client_id,
                client_name=client.name,
                sub=client.sub_of(account_id),
                created_at=now,
                last_used_at=now,
            )
            self._session.add(found)
        found.last_used_at = now
        found.backchannel_logout_uri = client.backchannel_logout_uri
        found.frontchannel_logout_uri = client.frontchannel_logout_uri
        found.signing_alg = client.id_token_alg
        self._session.flush()
        return found

    def participations(self, session_id: str) -> list[Participation]:
        """The clients that take part in a session now."""
        query = select(Participation).where(
            Participation.session_id == session_id, Participation.ended_at.is_(None)
        )
        return list(self._session.scalars(query.order_by(Participation.created_at)))

    def participation(self, sid: str) -> Participation | None:
        """What a `sid` stands for, over or not."""
        return self._session.get(Participation, sid)

    def ends(self, session_id: str) -> Ends | None:
        """When a session ends, if there is one."""
        row = self._session().row(_ENDS, s=session_id)
        return Ends(*row) if row is not None else None

    def get(self, session_id: str) -> Session | None:
        """A session by its id, alive or not."""
        return self._session.get(Session, session_id)

    def overdue(self, now: datetime, limit: int) -> list[str]:
        """Sessions whose time is over but that nobody has ended yet."""
        query = select(Session.id).where(
            Session.ended_at.is_(None),
            (Session.idle_expires_at <= now) | (Session.expires_at <= now),
        )
        return list(self._session.scalars(query.limit(limit)))

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget sessions that ended more than a day ago; a late hint finds the others."""
        writing(self._session)
        old = select(Session.id).where(Session.ended_at <= now - ENDED_KEPT).limit(limit)
        connection = self._session.connection()
        return connection.execute(delete(Session).where(Session.id.in_(old))).rowcount

    def _generation(self, account_id: str) -> int:
        query = select(Account.generation).where(
            Account.id == account_id, Account.disabled_at.is_(None)
        )
        generation = self._session.scalars(query.with_for_update(read=True)).one_or_none()
        if generation is None:
            raise Closed(account_id)
        return generation

    def _by_digest(self, cookie_digest: Digest) -> Session | None:
        return self._session.scalars(
            _BY_COOKIE, {"d": cookie_digest}, execution_options={"populate_existing": True}
        ).one_or_none()

    def _move(self, row: Session, now: datetime) -> None:
        row.last_seen_at = now
        row.idle_expires_at = min(now + self._rules.session_idle, row.expires_at)
