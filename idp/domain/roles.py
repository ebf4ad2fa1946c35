"""What people may do at an API: kept here, changed in mid-session, asked for at each call."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from idp.domain.feed import Feed
from idp.store import DbSession, writing
from idp.store.people import Account
from idp.store.tokens import Role

__all__ = ["Held", "Role", "Roles"]


@dataclass(frozen=True, slots=True)
class Held:
    """A person's roles and permissions at one API. The version grows with each change that
    concerns this person, at whichever API.
    """

    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    version: int = 0


class Roles:
    """Who may do what where."""

    def __init__(self, session: DbSession, feed: Feed) -> None:
        self._session = session
        self._feed = feed

    def held(self, account_id: str, resource: str) -> Held:
        """What a person may do at an API now; nothing, when nobody has said anything."""
        row = self._session.get(Role, (account_id, resource), populate_existing=True)
        if row is None:
            return Held()
        return Held(tuple(row.roles), tuple(row.permissions), row.version)

    def set(
        self,
        account_id: str,
        resource: str,
        *,
        roles: Iterable[str],
        permissions: Iterable[str],
        now: datetime,
    ) -> Held:
        """Change it. Guards are told that what they know of this person is old."""
        writing(self._session)
        row = self._session.get(Role, (account_id, resource), populate_existing=True)
        if row is None:
            row = Role(
                account_id=account_id,
                resource=resource,
                roles=[],
                permissions=[],
                version=0,
                updated_at=now,
            )
            self._session.add(row)
        row.roles, row.permissions = list(dict.fromkeys(roles)), list(dict.fromkeys(permissions))
        row.version = self._next_version(account_id)
        row.updated_at = now
        self._session.flush()
        self._feed.state_changed(account_id, row.version, now)
        return Held(tuple(row.roles), tuple(row.permissions), row.version)

    def _next_version(self, account_id: str) -> int:
        """One more than any of this person's: guards know people, not pairs of person and API,
        and a number that came before would tell them nothing. One change at a time.
        """
        self._session.execute(select(Account.id).where(Account.id == account_id).with_for_update())
        highest = select(func.max(Role.version)).where(Role.account_id == account_id)
        return (self._session.execute(highest).scalar() or 0) + 1

    def of_account(self, account_id: str) -> list[Role]:
        """Everything a person may do, by API."""
        query = select(Role).where(Role.account_id == account_id).order_by(Role.resource)
        return list(self._session.scalars(query))
