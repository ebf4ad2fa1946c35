"""Streams of events: who wants to be told of what, how, and of whom (OpenID SSF 1.0)."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from idp.crypto.secrets import new_id, seal, unseal
from idp.domain import caep, subjects
from idp.domain.deliveries import POLL, PUSH, Deliveries
from idp.domain.stream_queue import DISABLED, ENABLED, PAUSED, StreamQueue, too_soon
from idp.domain.subjects import Subject
from idp.store import DbSession, writing
from idp.store.signals import Stream, StreamSubject

__all__ = ["DISABLED", "ENABLED", "PAUSED", "POLL", "PUSH", "STATUSES", "Stream", "Streams"]
__all__ += ["Terms", "TooMany", "TooSoon"]

STATUSES = (ENABLED, PAUSED, DISABLED)
MOST_STREAMS = 4
MOST_SUBJECTS = 10_000
VERIFIED_EVERY = timedelta(seconds=1)


class TooMany(Exception):
    """A client has a few streams, and a stream has names for some thousand people."""


class TooSoon(Exception):
    """The stream was verified a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a receiver wants of a stream (OpenID SSF 1.0 section 8.1.1)."""

    events_requested: tuple[str, ...]
    method: str
    endpoint_url: str | None
    authorization_header: str | None
    description: str | None


class Streams:
    """The streams of all receivers."""

    def __init__(
        self, session: DbSession, deliveries: Deliveries, sealing_key: bytes, seats: int
    ) -> None:
        self._session = session
        self._sealing_key = sealing_key
        self.seats = threading.BoundedSemaphore(seats)
        self.queue = StreamQueue(session, deliveries)

    def create(self, client_id: str, terms: Terms, now: datetime) -> Stream:
        """A new stream, enabled; raises `TooMany`."""
        writing(self._session)
        if len(self.of_client(client_id)) >= MOST_STREAMS:
            raise TooMany
        stream = Stream(
            id=new_id(),
            client_id=client_id,
            events_requested=[],
            method=terms.method,
            created_at=now,
        )
        self._agree(stream, terms)
        self._session.add(stream)
        self._session.flush()
        return stream

    def find(self, client_id: str, stream_id: str) -> Stream | None:
        """A client's own stream."""
        row = self.get(stream_id)
        return row if row is not None and row.client_id == client_id else None

    def get(self, stream_id: str) -> Stream | None:
        """Any stream."""
        return self._session.get(Stream, stream_id, populate_existing=True)

    def of_client(self, client_id: str) -> Sequence[Stream]:
        """The streams of a client, the oldest first."""
        query = select(Stream).where(Stream.client_id == client_id)
        return list(self._session.scalars(query.order_by(Stream.created_at, Stream.id)))

    def list(self) -> Sequence[Stream]:
        """All streams, the oldest first."""
        return list(self._session.scalars(select(Stream).order_by(Stream.created_at, Stream.id)))

    def terms(self, stream: Stream) -> Terms:
        """What was agreed, the header that is to be sent included."""
        header = None
        if stream.sealed_header is not None:
            opened = unseal(self._sealing_key, stream.sealed_header, bound_to=stream.id)
            header = opened.decode()
        return Terms(
            events_requested=tuple(stream.events_requested),
            method=stream.method,
            endpoint_url=stream.endpoint_url,
            authorization_header=header,
            description=stream.description,
        )

    def change(self, stream: Stream, terms: Terms, now: datetime) -> None:
        """Other terms; what waits goes by them, too."""
        writing(self._session)
        self._agree(stream, terms)
        self._session.flush()
        self.queue.follow(stream, now)

    def set_status(self, stream: Stream, status: str, reason: str | None, now: datetime) -> None:
        """Let it run, hold everything back, or tell nothing and forget what waits."""
        writing(self._session)
        stream.status, stream.reason = status, reason
        self._session.flush()
        self.queue.follow(stream, now)

    def remove(self, stream: Stream, now: datetime) -> None:
        """The stream is gone, and with it whom it named."""
        writing(self._session)
        self.queue.give_up(stream.id, "the stream is gone", now)
        connection = self._session.connection()
        connection.execute(delete(StreamSubject).where(StreamSubject.stream_id == stream.id))
        connection.execute(delete(Stream).where(Stream.id == stream.id))
        self._session.expunge(stream)

    def name_subject(
        self, stream: Stream, subject: Subject, now: datetime, *, wanted: bool
    ) -> None:
        """The receiver wants to hear of a person, or not to; raises `TooMany`."""
        writing(self._session)
        name = (stream.id, subjects.key(subject))
        row = self._session.get(StreamSubject, name, populate_existing=True)
        if row is not None:
            row.wanted = wanted
        elif self._named(stream) >= MOST_SUBJECTS:
            raise TooMany
        else:
            self._session.add(
                StreamSubject(
                    stream_id=stream.id,
                    key=name[1],
                    subject=subject,
                    wanted=wanted,
                    created_at=now,
                )
            )
        self._session.flush()

    def verify(self, stream: Stream, state: str | None, now: datetime) -> None:
        """Send an event that says nothing but that events arrive (section 8.1.4); raises
        `TooSoon`.
        """
        writing(self._session)
        if too_soon(stream, VERIFIED_EVERY, now):
            raise TooSoon
        stream.verified_at = now
        self._session.flush()
        if stream.status == DISABLED:
            return
        said = {"state": state} if state is not None else {}
        self.queue.put(
            stream, notice(caep.VERIFICATION, said, subjects.opaque(stream.id), now), None, now
        )

    def pending(self, stream_id: str) -> bool:
        """Whether there is something to fetch; holds nothing afterwards."""
        try:
            return self.queue.pending(stream_id)
        finally:
            self._session.rollback()

    def _agree(self, stream: Stream, terms: Terms) -> None:
        stream.events_requested = list(terms.events_requested)
        stream.method = terms.method
        stream.endpoint_url = terms.endpoint_url
        stream.description = terms.description
        header = terms.authorization_header
        stream.sealed_header = (
            None if header is None else seal(self._sealing_key, header.encode(), bound_to=stream.id)
        )

    def _named(self, stream: Stream) -> int:
        count = select(func.count()).where(StreamSubject.stream_id == stream.id)
        return self._session.scalar(count) or 0


def notice(event_type: str, event: caep.Event, sub_id: Subject, now: datetime) -> dict[str, object]:
    """What is kept of an event until it has arrived: everything but who says so to whom."""
    return {
        "jti": new_id(),
        "iat": int(now.timestamp()),
        "sub_id": sub_id,
        "events": {event_type: event},
    }
