"""What a person allowed a client, and the line of refresh tokens under it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, select

from idp.crypto.refresh import RefreshKey
from idp.crypto.secrets import Handle, digest, new_id
from idp.domain import line_statements as statements
from idp.domain.allowance import Allowance, Held, Out, Root
from idp.domain.rules import Rules
from idp.store import DbSession, writing
from idp.store.clients import Client
from idp.store.people import Account
from idp.store.sessions import Grant, Line, Participation, RefreshToken

__all__ = ["Allowance", "Grant", "Grants", "Held", "Line", "Out", "RefreshToken", "Reused"]
__all__ += ["Root", "Spent", "Unknown"]

SPENT_KEPT = timedelta(minutes=1)  # an old token needs no row: its family part tells it is ours

LineAsRead = Any  # a Line as it stands in the store, for reading only
GrantAsRead = Any  # a Grant likewise


class Unknown(Exception):
    """No such refresh token."""


class Reused(Exception):
    """The refresh token was spent before: somebody holds a copy (RFC 9700 section 4.14.2)."""

    def __init__(self, line: Line) -> None:
        super().__init__("spent before")
        self.line = line


@dataclass(frozen=True, slots=True)
class Spent:
    """A refresh token was used up: what follows it, and until when that may rest, where the
    line was moved by it.
    """

    successor: Handle
    idle: datetime | None = None


class Grants:
    """Consents, and the lines that descend from them."""

    def __init__(self, session: DbSession, refresh_key: RefreshKey, rules: Rules) -> None:
        self._session = session
        self._key = refresh_key
        self._rules = rules

    # What a person allowed

    def find(self, account_id: str, client_id: str) -> GrantAsRead | None:
        """What the person allows this client at the moment."""
        return self._session().row(statements.ALLOWED, a=account_id, c=client_id)

    def allow(
        self,
        account_id: str,
        client_id: str,
        *,
        scopes: Iterable[str],
        resources: Iterable[str],
        claims: Iterable[str],
        now: datetime,
    ) -> Grant:
        """Remember a yes. It adds to what was allowed before, never takes away."""
        writing(self._session)
        grant = self._to_change(account_id, client_id)
        if grant is None:
            grant = Grant(
                id=new_id(),
                account_id=account_id,
                client_id=client_id,
                scopes=[],
                resources=[],
                claims=[],
                created_at=now,
                updated_at=now,
            )
            self._session.add(grant)
        grant.scopes = _merged(grant.scopes, scopes)
        grant.resources = _merged(grant.resources, resources)
        grant.claims = _merged(grant.claims, claims)
        grant.updated_at = now
        self._session.flush()
        return grant

    def forget(self, account_id: str, client_id: str, now: datetime) -> bool:
        """Take a yes back. The gate refuses from now on whatever descends from it."""
        writing(self._session)
        grant = self._to_change(account_id, client_id)
        if grant is None:
            return False
        grant.ended_at = now
        self._session.flush()
        return True

    def _to_change(self, account_id: str, client_id: str) -> Grant | None:
        named = {"a": account_id, "c": client_id}
        return self._session.scalars(
            statements.TO_CHANGE, named, execution_options=statements.AFRESH
        ).one_or_none()

    def of_account(self, account_id: str) -> list[Grant]:
        """The clients a person allows something, the newest first."""
        query = select(Grant).where(Grant.account_id == account_id, Grant.ended_at.is_(None))
        return list(self._session.scalars(query.order_by(Grant.updated_at.desc())))

    # Lines

    def start_line(
        self,
        grant_id: str,
        root: Participation | Root,
        allowed: Allowance,
        now: datetime,
    ) -> tuple[Line, Handle]:
        """A code was redeemed: a new line, and its first refresh token, which is stored only by
        `keep`, for a client that may use it.
        """
        writing(self._session)
        token = self._key.first()
        family = self._key.family(token)
        if family is None:
            raise AssertionError("a token we made is one of ours")
        until = now + (allowed.lives or self._rules.line_absolute)
        line = Line(
            id=new_id(),
            family=family,
            grant_id=grant_id,
            session_id=root.session_id,
            sid=root.sid,
            account_id=root.account_id,
            sub=root.sub if root.sub != root.account_id else None,
            client_id=root.client_id,
            client_name=root.client_name,
            generation=self._generation(root.account_id),
            offline=allowed.offline,
            scopes=list(allowed.scopes),
            resources=list(allowed.resources),
            claims_request=allowed.claims_request,
            authorization_details=list(allowed.authorization_details) or None,
            auth_time=allowed.auth_time,
            acr=allowed.acr,
            amr=list(allowed.amr),
            jkt=allowed.bound_to.jkt,
            x5t=allowed.bound_to.x5t,
            created_at=now,
            last_used_at=now,
            idle_expires_at=min(now + self._rules.line_idle, until),
            expires_at=until,
            access_until=now,
            access={},
        )
        self._session.add(line)
        self._session.flush()
        return line, token

    def keep(self, token: Handle, line: Line, now: datetime) -> None:
        """Store the hash of a line's newest refresh token."""
        self._session().change(statements.KEEP, d=digest(token), l=line.id, moment=now)

    def line(self, line_id: str) -> LineAsRead | None:
        """A line by its id, over or not."""
        return self._session().row(statements.BY_ID, l=line_id)

    def newest_line(self, sid: str) -> LineAsRead | None:
        """The line a client's part in a session has begun last, if it is not over."""
        return self._session().row(statements.NEWEST_OF_SID, s=sid)

    def lines_of_account(self, account_id: str) -> list[Line]:
        """The lines of a person that are not over, the newest use first."""
        query = select(Line).where(Line.account_id == account_id, Line.ended_at.is_(None))
        return list(self._session.scalars(query.order_by(Line.last_used_at.desc())))

    def line_of(self, token: str) -> LineAsRead | None:
        """The line a refresh token belongs to, spent or not; nothing is changed."""
        family = self._key.family(token)
        if family is None:
            return None
        return self._session().row(statements.BY_FAMILY, f=family)

    def newest(self, token: str) -> bool:
        """Whether this is the line's present refresh token, not yet spent."""
        row = self._session().row(statements.SPENT_AT, d=digest(token))
        return row is not None and row.spent_at is None

    def spend_refresh(
        self, token: Handle, line: Line, *, rotate: bool, grace: timedelta, now: datetime
    ) -> Spent:
        """Use a refresh token. Of any number who try at once, one is the winner.

        With rotation the winner is given the successor, and within `grace` whoever comes
        again is given the same one, as long as nobody has used that. Otherwise raises
        `Reused`. Without rotation the token stays as it is. The line itself is moved by
        `minted`.
        """
        writing(self._session)
        idle = self.idle_end(line, now)
        if not rotate:
            if not self.newest(token):
                raise Reused(line)
            return Spent(token, idle)
        successor = self._key.successor(token)
        if self._rotated(token, successor, line, now):
            return Spent(successor, idle)
        if self._within_grace(token, successor, grace, now):
            return Spent(successor)
        raise Reused(line)

    def _rotated(self, token: Handle, successor: Handle, line: Line, now: datetime) -> bool:
        """Whether we are the one who has spent it; the successor is kept in its place."""
        work, before = self._session(), now - SPENT_KEPT
        if work.connection().dialect.name == "postgresql":
            given = {"d": digest(token), "successor": digest(successor), "l": line.id}
            return work.row(statements.ROTATE, moment=now, before=before, **given) is not None
        if work.change(statements.SPEND, d=digest(token), moment=now) != 1:
            return False
        work.change(statements.CLEAR, l=line.id, before=before)
        self.keep(successor, line, now)
        return True

    def idle_end(self, line: Line, now: datetime) -> datetime:
        """Until when a refresh token that is given out now may rest."""
        return min(now + self._rules.line_idle, line.expires_at)

    def minted(self, line: Line, token: Out, now: datetime, held: Held | None = None) -> None:
        """Remember how long the newest access token for each API lives, and how it ends, for
        the receipt. Whoever mints holds the line, so that nothing is lost between two.
        """
        work = self._session()
        before = held.out if held else work.row(statements.OUT, l=line.id)
        kept = {name: out for name, out in before.access.items() if out["until"] > now.timestamp()}
        ends = int(token.policies.ends)
        for audience in token.audiences:
            earlier = kept.get(audience, {"until": 0, "ends": ends})
            kept[audience] = {
                "until": max(earlier["until"], int(token.until.timestamp())),
                "ends": max(earlier["ends"], ends),
                **_within(earlier, token.within),
            }
        values = {"l": line.id, "until": max(before.access_until, token.until), "out": kept}
        if held is None or held.idle is None:
            work.change(statements.MINTED, **values)
        else:
            work.change(statements.USED, moment=now, idle=held.idle, **values)

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget lines of which nothing lives any more, and what was taken back or allowed to
        a client that is gone; returns how many rows went.
        """
        writing(self._session)
        connection = self._session.connection()
        margin = now - self._rules.feed_margin
        over = (Line.ended_at <= margin) | (Line.expires_at <= margin)
        lines = select(Line.id).where(over, Line.access_until <= margin).limit(limit)
        orphaned = ~exists().where(Client.client_id == Grant.client_id)
        grants = select(Grant.id).where((Grant.ended_at <= margin) | orphaned).limit(limit)
        gone = connection.execute(delete(Line).where(Line.id.in_(lines))).rowcount
        return gone + connection.execute(delete(Grant).where(Grant.id.in_(grants))).rowcount

    def _within_grace(
        self, token: Handle, successor: Handle, grace: timedelta, now: datetime
    ) -> bool:
        row = self._session().row(statements.SPENT_AT, d=digest(token))
        if row is None or row.spent_at is None or not grace or now - row.spent_at >= grace:
            return False
        return self.newest(successor)

    def _generation(self, account_id: str) -> int:
        query = select(Account.generation).where(Account.id == account_id)
        return self._session.scalars(query).one()


def _merged(old: Collection[str], new: Iterable[str]) -> list[str]:
    return [*old, *(item for item in dict.fromkeys(new) if item not in old)]


def _within(before: Mapping[str, Any], within: timedelta | None) -> dict[str, int]:
    longest = max(before.get("within", 0), int(within.total_seconds()) if within else 0)
    return {"within": longest} if longest else {}
