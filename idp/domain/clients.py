"""Relying parties: add, register, find, rotate a secret, remove.

`ClientView` is a frozen copy for the hot path. It is kept in memory and held against one
number in the database each time, so that no process works with a stale one.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from idp.crypto.secrets import Handle, derive_key, digest, new_handle
from idp.domain import client_secrets
from idp.domain import client_statements as statements
from idp.domain.admission import Admission
from idp.domain.client_documents import ClientDocuments, Document, is_address
from idp.domain.client_keys import ClientKeys
from idp.domain.client_requests import RequestObjects
from idp.domain.client_view import ClientView, NoSuchClient, Registered, view_of
from idp.domain.feed import Feed
from idp.domain.issuers import Issuers
from idp.domain.logos import Logos
from idp.domain.metadata import InvalidMetadata, policies_of
from idp.domain.metadata.operators import decided
from idp.domain.metadata.profiles import judge_policies
from idp.domain.outbound import Outbound
from idp.domain.rules import Rules
from idp.policies import PolicySet
from idp.store import DbSession, Json, Prebuilt, writing
from idp.store.clients import Client, ClientSecret

__all__ = ["ClientView", "Clients", "InvalidMetadata", "NoSuchClient", "Registered"]

SECRET_METHODS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
OLD_SECRET_WORKS = timedelta(days=1)
USED_EVERY = timedelta(hours=1)
MOST_VIEWS = 10_000

_VERSION = Prebuilt(
    select(Client.version, Client.last_used_at).where(Client.client_id == bindparam("c"))
)


class Clients:
    """All clients."""

    def __init__(
        self,
        session: DbSession,
        sealing_key: bytes,
        outbound: Outbound,
        feed: Feed,
        rules: Rules,
    ) -> None:
        self._session = session
        self._feed = feed
        self._sealing_key = sealing_key
        self._pairwise_key = derive_key(sealing_key, "pairwise subjects")
        self._rules = rules
        self._views: dict[str, ClientView] = {}
        self._used: dict[str, datetime | None] = {}
        self._admission = Admission(outbound, session.commit, rules)
        self.keys = ClientKeys(outbound, session.commit)
        self.logos = Logos(session, outbound, session.commit)
        self.request_objects = RequestObjects(outbound, session.commit)
        self.issuers = Issuers(session, loopback=rules.loopback_allowed)
        self.documents = ClientDocuments(outbound, session.commit, rules)

    def find(self, client_id: str) -> ClientView | None:
        """The client as it is now."""
        row = self._session().row(_VERSION, c=client_id)
        if row is None:
            self._views.pop(client_id, None)
            return None
        self._used[client_id] = row.last_used_at
        view = self._views.get(client_id)
        if view is None or view.version != row.version:
            view = self._load(client_id)
        return view

    def get(self, client_id: str) -> ClientView:
        """The client, or `NoSuchClient`."""
        view = self.find(client_id)
        if view is None:
            raise NoSuchClient(client_id)
        return view

    def list(self) -> Sequence[ClientView]:
        """All clients, the oldest first."""
        ids = self._session.scalars(select(Client.client_id).order_by(Client.created_at)).all()
        return [view for view in map(self.find, ids) if view is not None]

    def add(
        self,
        details: Mapping[str, Any],
        *,
        trusted: bool = False,
        serves: Iterable[str] = (),
        policies: Iterable[str] = (),
        now: datetime,
    ) -> tuple[ClientView, Handle | None]:
        """An operator adds a client; its secret is shown once."""
        kept = self._admission.checked(details)
        return self._insert(kept, trusted, serves, policies, now)

    def register(self, details: Mapping[str, Any], address: str, now: datetime) -> Registered:
        """A client registers itself (RFC 7591); it can grant itself no privilege (DCR-04)."""
        kept = self._admission.offered(details)
        if self._rules.token_endpoint_audience:
            kept["assertion_audience"] = "token_endpoint"
        view, secret = self._insert(kept, False, (), policies_of(details), now)
        token = new_handle("ra_")
        self._session.execute(
            update(Client)
            .where(Client.client_id == view.client_id)
            .values(dynamic=True, registration_digest=digest(token), registered_from=address)
        )
        return Registered(self._load(view.client_id), secret, token)

    def learn(self, client_id: str, document: Document, address: str, now: datetime) -> ClientView:
        """Keep what a client says of itself at its own address, if it is another than before;
        whatever becomes of the request.
        """
        view = self.find(client_id)
        if view is None:
            writing(self._session)
            connection, details = self._session.connection(), document.details
            values = {"details": details, "registered_from": address, "created_at": now}
            connection.execute(statements.fresh(connection.dialect.name, client_id, **values))
        elif decided(view.details) | document.details != view.details:
            self._change(client_id, details=decided(view.details) | document.details)
        self._session.commit()
        self.documents.learned(client_id, document)
        return self.get(client_id)

    def of_registration(self, token: str, client_id: str) -> ClientView | None:
        """The client this registration access token manages, if it is this one (DCR-06)."""
        of_token = Client.registration_digest == digest(token), Client.client_id == client_id
        found = self._session.scalars(select(Client.client_id).where(*of_token)).one_or_none()
        return self.find(client_id) if found is not None else None

    def update(self, client_id: str, details: Mapping[str, Any], now: datetime) -> ClientView:
        """Replace a client's metadata (RFC 7592 section 2.2)."""
        view = self.get(client_id)
        kept = self._admission.offered(details, view.details)
        if kept["token_endpoint_auth_method"] != view.auth_method:
            raise InvalidMetadata("token_endpoint_auth_method cannot be changed; register anew")
        policies = policies_of(details) or view.policies
        judge_policies(view.profile, policies)
        self._change(client_id, details=kept, policies=list(policies))
        return self._load(client_id)

    def choose_policies(self, client_id: str, policies: Iterable[str]) -> ClientView:
        """Change the policies of a client's refresh line; what is out follows the stricter of
        old and new. Raises ValueError, with a sentence, when they do not fit together.
        """
        names = list(policies)
        PolicySet.for_client(names)
        judge_policies(self.get(client_id).profile, names)
        self._change(client_id, policies=names)
        return self._load(client_id)

    def decide(self, client_id: str, **members: object) -> ClientView:
        """An operator changes what it may do; None takes a member away. Raises
        `InvalidMetadata`.
        """
        said = {**self.get(client_id).details, **members}
        named = self._session.scalars(select(Client.policies).filter_by(client_id=client_id)).one()
        self._change(client_id, details=self._admission.decided(client_id, said, named))
        return self._load(client_id)

    def remove(self, client_id: str, now: datetime) -> None:
        """Remove a client. Whatever it holds is dead, because the gate asks for it by name."""
        writing(self._session)
        gone = self._session.connection().execute(
            delete(Client).where(Client.client_id == client_id)
        )
        if gone.rowcount != 1:
            raise NoSuchClient(client_id)
        self._feed.cut_off_client(client_id, now)

    def disable(self, client_id: str, now: datetime) -> None:
        """Refuse a client everything until it is enabled again."""
        self._change(client_id, disabled_at=now)
        self._feed.cut_off_client(client_id, now)

    def enable(self, client_id: str, now: datetime) -> None:
        """Let a disabled client work again."""
        self._change(client_id, disabled_at=None)
        self._feed.let_client_back(client_id, now)

    def rotate_secret(self, client_id: str, now: datetime) -> Handle:
        """A new secret; the one before works on for a day, so that nothing stands still."""
        view = self.get(client_id)
        if view.auth_method not in SECRET_METHODS:
            raise InvalidMetadata(f"client {client_id} has no secret to rotate")
        writing(self._session)
        self._session.execute(
            update(ClientSecret)
            .where(ClientSecret.client_id == client_id, ClientSecret.expires_at.is_(None))
            .values(expires_at=now + OLD_SECRET_WORKS)
        )
        secret = self._new_secret(client_id, view.auth_method, now)
        self._change(client_id)
        return secret

    def check_secret(self, view: ClientView, secret: str, now: datetime) -> bool:
        """Whether this is one of the client's secrets; the time it takes does not tell."""
        return client_secrets.holds(view, secret, now)

    def shared_secrets(self, view: ClientView, now: datetime) -> Sequence[bytes]:
        """The secrets themselves, where they are keys (client_secret_jwt)."""
        return client_secrets.opened(self._sealing_key, view, now)

    def touch(self, client_id: str, now: datetime) -> None:
        """The client is in use; written down once an hour at the most."""
        last = self._used.get(client_id)  # as the store said when the client was found
        if last is not None and now - last < USED_EVERY:
            return
        writing(self._session)
        self._session.execute(
            update(Client).where(Client.client_id == client_id).values(last_used_at=now)
        )

    def reap(self, now: datetime, limit: int) -> int:
        """Remove clients that registered themselves and are not used; returns how many."""
        since = now - self._rules.unused_client_kept
        gone = statements.unused(since, since - self._rules.line_absolute, limit)
        writing(self._session)
        connection = self._session.connection()
        return connection.execute(delete(Client).where(Client.client_id.in_(gone))).rowcount

    def _insert(
        self,
        kept: Json,
        trusted: bool,
        serves: Iterable[str],
        policies: Iterable[str],
        now: datetime,
    ) -> tuple[ClientView, Handle | None]:
        names = list(policies)
        PolicySet.for_client(names)
        judge_policies(kept.get("profile"), names)
        writing(self._session)
        client_id = new_handle("c_")
        self._session.add(
            Client(
                client_id=client_id,
                details=kept,
                policies=names,
                serves=list(serves),
                trusted=trusted,
                created_at=now,
            )
        )
        self._session.flush()
        method = kept["token_endpoint_auth_method"]
        secret = self._new_secret(client_id, method, now) if method in SECRET_METHODS else None
        return self._load(client_id), secret

    def _new_secret(self, client_id: str, method: str, now: datetime) -> Handle:
        secret, kept = client_secrets.fresh(self._sealing_key, client_id, method, now)
        self._session.add(kept)
        self._session.flush()
        return secret

    def _change(self, client_id: str, **values: object) -> None:
        writing(self._session)
        changed = self._session.connection().execute(
            update(Client)
            .where(Client.client_id == client_id)
            .values(version=Client.version + 1, **values)
        )
        if changed.rowcount != 1:
            raise NoSuchClient(client_id)

    def _load(self, client_id: str) -> ClientView:
        row = self._session.get(Client, client_id, populate_existing=True)
        if row is None:
            raise NoSuchClient(client_id)
        secrets = self._session.scalars(
            select(ClientSecret).where(ClientSecret.client_id == client_id)
        )
        admitted = not is_address(client_id) or self.documents.admits(client_id)
        view = view_of(
            row,
            secrets,
            self._rules.client_policies,
            admitted=admitted,
            pairwise_key=self._pairwise_key,
        )
        if len(self._views) >= MOST_VIEWS:
            self._views.clear()
            self._used.clear()
        self._views[client_id] = view
        return view
