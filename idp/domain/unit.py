"""The unit of work of the request at hand; the web floor commits it, once."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import scoped_session

from idp.store import Work, db

__all__ = ["Work", "commit", "is_ready", "session"]


def session() -> scoped_session[Work]:
    """Everything the request has read and written, until it is committed or undone."""
    unit: scoped_session[Work] = db.session  # type: ignore[assignment]
    return unit


def commit() -> None:
    """What was done is done. Where nothing was read or written there is nothing to do."""
    unit = session()
    if unit.registry.has():
        unit.commit()


def is_ready() -> bool:
    """Whether the store answers at all."""
    try:
        db.session.execute(text("SELECT 1"))
    except DBAPIError:
        db.session.rollback()
        return False
    return True
