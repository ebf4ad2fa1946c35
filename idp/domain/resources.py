"""APIs: named by their RFC 8707 identifiers, with scopes in words a person understands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select

from idp.policies import PolicySet
from idp.store import DbSession, writing
from idp.store.clients import Resource

__all__ = ["Resource", "Resources"]


class Resources:
    """The APIs that tokens can be asked for."""

    def __init__(self, session: DbSession) -> None:
        self._session = session

    def add(
        self,
        identifier: str,
        name: str,
        scopes: Mapping[str, str],
        policies: Iterable[str],
        now: datetime,
    ) -> Resource:
        """Add an API, or change it; raises ValueError for what is no identifier (section 2)."""
        parts = urlsplit(identifier)
        if not parts.scheme or "#" in identifier or not (parts.netloc or parts.path):
            raise ValueError("a resource identifier is an absolute URI without a fragment")
        names = list(policies)
        PolicySet.named(names)
        writing(self._session)
        row = self.find(identifier)
        if row is None:
            row = Resource(identifier=identifier, name=name, scopes={}, policies=[], created_at=now)
            self._session.add(row)
        row.name, row.scopes, row.policies = name, dict(scopes), names
        self._session.flush()
        return row

    def find(self, identifier: str) -> Resource | None:
        """An API by its identifier."""
        return self._session.get(Resource, identifier, populate_existing=True)

    def list(self) -> Sequence[Resource]:
        """All APIs."""
        return self._session.scalars(select(Resource).order_by(Resource.identifier)).all()

    def named(self, identifiers: Iterable[str]) -> Sequence[Resource]:
        """Those of these identifiers that exist."""
        wanted = list(identifiers)
        if not wanted:
            return []
        query = select(Resource).where(Resource.identifier.in_(wanted))
        return self._session.scalars(query).all()

    def that_understand(self, scopes: Iterable[str]) -> tuple[str, ...]:
        """The APIs that know one of these scopes."""
        wanted = set(scopes)
        return tuple(row.identifier for row in self.list() if wanted & set(row.scopes))

    def scopes(self) -> Mapping[str, str]:
        """Every scope of every API, with what it means to a person."""
        found: dict[str, str] = {}
        for row in self.list():
            found.update({scope: str(words) for scope, words in row.scopes.items()})
        return found
