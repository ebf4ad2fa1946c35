"""APIs: named by their RFC 8707 identifiers, with scopes in words a person understands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from idp.domain.authorization_details import DetailType, described
from idp.domain.feed import Feed
from idp.domain.roles import Roles
from idp.policies import PolicySet
from idp.store import DbSession, Prebuilt, writing
from idp.store.clients import Resource

__all__ = ["Api", "Resource", "Resources"]

LONGEST_ACCESS = timedelta(hours=1)
LOOKED_UP_EVERY = timedelta(seconds=3)
_ALL = Prebuilt(select(*Resource.__table__.columns).order_by(Resource.identifier))

Api = Any  # a Resource as it stands in the store, for reading only


class Resources:
    """The APIs that tokens can be asked for."""

    def __init__(self, session: DbSession, feed: Feed, usual: Sequence[str] = ()) -> None:
        self._session = session
        self._usual = usual
        self.roles = Roles(session, feed)
        self._advertised: tuple[datetime, tuple[str, ...], tuple[str, ...]] | None = None

    def add(
        self,
        identifier: str,
        name: str,
        scopes: Mapping[str, str],
        policies: Iterable[str],
        now: datetime,
        *,
        lifetime: timedelta | None = None,
        status_list: bool = False,
    ) -> Resource:
        """Add an API, or change it; raises ValueError for what is no identifier (section 2),
        and for policies that do not fit together.

        `lifetime` is that of its access tokens, at most an hour; None is everybody's. With
        `status_list` they say where to look up offline whether they were taken back.
        """
        parts = urlsplit(identifier)
        if not parts.scheme or "#" in identifier or not (parts.netloc or parts.path):
            raise ValueError("a resource identifier is an absolute URI without a fragment")
        names = list(policies)
        policies_now = PolicySet.for_resource(names or self._usual)
        if status_list and not policies_now.listable:
            raise ValueError("a status list says what jti_denylist took back; name that policy")
        if lifetime is not None and not timedelta(0) < lifetime <= LONGEST_ACCESS:
            raise ValueError("an access token lives for at most an hour")
        writing(self._session)
        row = self.find(identifier)
        if row is None:
            row = Resource(identifier=identifier, name=name, scopes={}, policies=[], created_at=now)
            self._session.add(row)
        row.name, row.scopes, row.policies = name, dict(scopes), names
        row.status_list = status_list
        row.access_lifetime = int(lifetime.total_seconds()) if lifetime else None
        self._session.flush()
        self._session().read_anew(_ALL)
        self._advertised = None
        return row

    def describe(self, identifier: str, types: Mapping[str, object]) -> Resource:
        """Say which authorization details an API knows, all of them anew (RFC 9396); raises
        ValueError for what is no description, and for a type that another API has.
        """
        row = self.find(identifier)
        if row is None:
            raise ValueError(f"there is no API {identifier!r}")
        known = self.detail_types()
        for name, given in types.items():
            described(name, given, identifier)
            if name in known and known[name].api != identifier:
                raise ValueError(f"{name} is a type of another API")
        writing(self._session)
        row.detail_types = dict(types)
        self._session.flush()
        self._session().read_anew(_ALL)
        self._advertised = None
        return row

    def detail_types(self) -> Mapping[str, DetailType]:
        """Every type of authorization details, by its name."""
        return {
            name: described(name, given, row.identifier)
            for row in self.list()
            for name, given in (row.detail_types or {}).items()
        }

    def find(self, identifier: str) -> Resource | None:
        """An API by its identifier."""
        return self._session.get(Resource, identifier, populate_existing=True)

    def list(self) -> Sequence[Api]:
        """All APIs."""
        return self._session().rows_once(_ALL)

    def named(self, identifiers: Iterable[str]) -> Sequence[Api]:
        """Those of these identifiers that exist, in their order."""
        wanted = dict.fromkeys(identifiers)
        if not wanted:
            return []
        known = {row.identifier: row for row in self.list()}
        return [known[identifier] for identifier in wanted if identifier in known]

    def that_understand(self, scopes: Iterable[str]) -> tuple[str, ...]:
        """The APIs that know one of these scopes."""
        wanted = set(scopes)
        return tuple(row.identifier for row in self.list() if wanted & set(row.scopes))

    def advertised(self, now: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The scopes of all APIs, and their types of authorization details, for discovery, which
        may be a few seconds behind.
        """
        if (
            self._advertised is None
            or not timedelta(0) <= now - self._advertised[0] < LOOKED_UP_EVERY
        ):
            self._advertised = now, tuple(self.scopes()), tuple(sorted(self.detail_types()))
        return self._advertised[1:]

    def scopes(self) -> Mapping[str, str]:
        """Every scope of every API, with what it means to a person."""
        found: dict[str, str] = {}
        for row in self.list():
            found.update({scope: str(words) for scope, words in row.scopes.items()})
        return found
