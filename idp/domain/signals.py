"""What happened, as events for those who follow a stream: who hears of it, and in which words.

A receiver hears of the people who use it, and an app of the operator's own (`trusted`) of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, union

from idp.domain import caep, subjects
from idp.domain.clients import Clients, ClientView
from idp.domain.reach import APP_EVERYWHERE, EVERYWHERE, Reach, Scope
from idp.domain.receipts import TELLING, Concern, Receipt, Receipts
from idp.domain.rules import Rules
from idp.domain.streams import DISABLED, Streams, notice
from idp.domain.subjects import Subject
from idp.store import DbSession, Prebuilt
from idp.store.people import Account
from idp.store.sessions import Grant, Participation
from idp.store.signals import Stream, StreamSubject

_ANY = Prebuilt(select(Stream.id).where(Stream.status != DISABLED).limit(1))


@dataclass(frozen=True, slots=True)
class Receiver:
    """A stream that is not disabled, and the client behind it."""

    stream: Stream
    client: ClientView

    def wants(self, event_type: str) -> bool:
        return event_type in self.stream.events_requested


@dataclass(frozen=True, slots=True)
class Told:
    """One event for one receiver: whom it is about."""

    receiver: Receiver
    sub_id: Subject

    @property
    def concern(self) -> Concern:
        """Its line on the receipt."""
        return Concern(
            kind="stream",
            name=self.receiver.client.name,
            reference=self.receiver.stream.id,
            state=TELLING,
        )


class Signals:
    """Writes events into the outbox, in the transaction of what they tell of."""

    def __init__(
        self,
        session: DbSession,
        streams: Streams,
        clients: Clients,
        receipts: Receipts,
        rules: Rules,
    ) -> None:
        self._session = session
        self._clients = clients
        self._receipts = receipts
        self._rules = rules
        self.streams = streams

    def of_sign_out(self, scope: Scope, reached: Reach) -> list[Told]:
        """Who is told of a sign-out, and of which session of whom."""
        told: list[Told] = []
        if reached.empty:
            return told
        for receiver, user in self._audience(caep.SESSION_REVOKED, scope.account_id):
            trusted = receiver.client.trusted
            mine = receiver.client.client_id
            if scope.kind == EVERYWHERE or (
                scope.kind == APP_EVERYWHERE and scope.client_id == mine
            ):
                told.append(Told(receiver, user))
                continue
            told += (
                Told(receiver, subjects.in_session(user, row.sid))
                for row in reached.participations
                if trusted or row.client_id == mine
            )
        return told

    def signed_out(
        self, told: Sequence[Told], receipt: Receipt, reason: str, by: str, now: datetime
    ) -> None:
        """Promise it, each with a line of its own on the receipt."""
        if not told:
            return
        lines = self._receipts.add(receipt.id, [one.concern for one in told], now)
        event = caep.session_revoked(reason, by, now)
        for one, line in zip(told, lines, strict=True):
            self._put(one, caep.SESSION_REVOKED, event, line.id, now)

    def hear(
        self,
        name: str,
        account_id: str | None,
        session_id: str | None,
        details: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """Something was written into the audit trail; what receivers care for, they are told."""
        if account_id is None:
            return
        by = str(details.get("by", "person"))
        if name in caep.CREDENTIALS:
            event = caep.credential_change(name, by, now, details)
            for receiver, user in self._audience(caep.CREDENTIAL_CHANGE, account_id):
                self._put(Told(receiver, user), caep.CREDENTIAL_CHANGE, event, None, now)
        elif name == "RolesChanged":
            claims = {word: details[word] for word in ("roles", "permissions")}
            event = caep.token_claims_change(claims, by, now)
            api = str(details["resource"])
            for receiver, user in self._audience(caep.TOKEN_CLAIMS_CHANGE, account_id, api):
                self._put(Told(receiver, user), caep.TOKEN_CLAIMS_CHANGE, event, None, now)
        elif name == "AssuranceChanged":
            levels = str(details["previous"]), str(details["current"])
            event = caep.assurance_level_change(self._rules.issuer, *levels, by, now)
            for told in self._in_session(account_id, session_id):
                self._put(told, caep.ASSURANCE_LEVEL_CHANGE, event, None, now)

    def _in_session(self, account_id: str, session_id: str | None) -> list[Told]:
        """Who is told what a session is worth: the apps in it, and the operator's own."""
        audience = self._audience(caep.ASSURANCE_LEVEL_CHANGE, account_id)
        if not audience:
            return []
        alive = Participation.session_id == session_id, Participation.ended_at.is_(None)
        rows = self._session.scalars(select(Participation).where(*alive)).all()
        return [
            Told(receiver, subjects.in_session(user, row.sid))
            for receiver, user in audience
            for row in rows
            if receiver.client.trusted or row.client_id == receiver.client.client_id
        ]

    def _put(
        self, told: Told, event_type: str, event: caep.Event, line_id: int | None, now: datetime
    ) -> None:
        details = notice(event_type, event, told.sub_id, now)
        self.streams.queue.put(told.receiver.stream, details, line_id, now)

    def _audience(
        self, event_type: str, account_id: str, api: str | None = None
    ) -> list[tuple[Receiver, Subject]]:
        """Those who want to hear of it and may, and what they call the person. What happens at
        an API is for that API.
        """
        if self._session().row(_ANY) is None:
            return []
        wanting = [one for one in self._receivers() if one.wants(event_type)]
        if not wanting:
            return []
        known = self._used_by(account_id) if api is None else set[str]()
        may = [
            one
            for one in wanting
            if one.client.trusted or one.client.client_id in known or api in one.client.serves
        ]
        return list(self._named(may, account_id)) if may else []

    def _receivers(self) -> list[Receiver]:
        running = [row for row in self.streams.list() if row.status != DISABLED]
        found = ((stream, self._clients.find(stream.client_id)) for stream in running)
        return [Receiver(stream, client) for stream, client in found if client and client.enabled]

    def _used_by(self, account_id: str) -> set[str]:
        """The clients a person has allowed something, or takes part in."""
        allowed = select(Grant.client_id).where(
            Grant.account_id == account_id, Grant.ended_at.is_(None)
        )
        part = select(Participation.client_id).where(Participation.account_id == account_id)
        return set(self._session.scalars(union(allowed, part)))

    def _named(
        self, receivers: Iterable[Receiver], account_id: str
    ) -> Iterable[tuple[Receiver, Subject]]:
        """What each calls the person, leaving out who does not want to hear of them. A receiver
        that named them by an address hears of them by it.
        """
        account = self._session.get(Account, account_id)
        addresses = subjects.contacts(account.claims) if account is not None else []
        for receiver in receivers:
            user = subjects.iss_sub(self._rules.issuer, receiver.client.sub_of(account_id))
            keys = [subjects.key(name) for name in (user, *addresses)]
            named = select(StreamSubject).where(StreamSubject.stream_id == receiver.stream.id)
            rows = list(self._session.scalars(named.where(StreamSubject.key.in_(keys))))
            if any(not row.wanted for row in rows):
                continue
            wanted = [row.subject for row in rows]
            if wanted or self._rules.default_subjects == "ALL":
                yield receiver, user if user in wanted or not wanted else wanted[0]
