"""The vocabulary of what happened. An event is written in the same transaction as what it
tells of, and leaves the house only after the commit.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from idp.domain.signals import Signals
from idp.store import DbSession, writing
from idp.store.system import Event

__all__ = ["Event", "Events"]

_RECORD = insert(Event)


class Events:
    """The audit trail: who did what, when, from where. It never holds a secret."""

    def __init__(self, session: DbSession, kept: timedelta, signals: Signals) -> None:
        self._session = session
        self._kept = kept
        self.signals = signals

    def record(
        self,
        name: str,
        now: datetime,
        *,
        account_id: str | None = None,
        client_id: str | None = None,
        session_id: str | None = None,
        address: str | None = None,
        **details: Any,  # noqa: ANN401 - whatever JSON can say
    ) -> None:
        """Write down that something happened, in the past tense: `SessionEnded`. Who follows a
        stream of such events is promised to hear of it.
        """
        writing(self._session)
        row = {
            "at": now,
            "name": name,
            "account_id": account_id,
            "client_id": client_id,
            "session_id": session_id,
            "address": address,
            "details": details,
        }
        self._session.connection().execute(_RECORD, row)
        self.signals.hear(name, account_id, session_id, details, now)

    def of_account(self, account_id: str, limit: int = 50) -> list[Event]:
        """The newest things that concern a person."""
        query = select(Event).where(Event.account_id == account_id)
        return list(self._session.scalars(query.order_by(Event.id.desc()).limit(limit)))

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget what is older than events are kept; returns how many rows went."""
        writing(self._session)
        old = select(Event.id).where(Event.at <= now - self._kept).limit(limit)
        return self._session.connection().execute(delete(Event).where(Event.id.in_(old))).rowcount
