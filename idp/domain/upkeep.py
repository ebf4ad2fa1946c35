"""Upkeep: what ends by itself, and what is forgotten, so that nobody needs a cron job (P7)."""

from datetime import datetime

from idp.domain import Provider
from idp.domain.sign_out import Because

BATCH = 200
ENDED_AT_ONCE = 20  # a sign-out writes much more than a row that goes


def end_overdue_sessions(op: Provider, now: datetime) -> int:
    """A session whose time is over is signed out like any other: receipt, feed, notices.

    A few at a time, so that whoever else writes is not kept waiting for all of them.
    """
    overdue = op.sessions.overdue(now, ENDED_AT_ONCE)
    for session_id in overdue:
        row = op.sessions.get(session_id)
        if row is not None:
            op.sign_outs.browser(row.account_id, row.id, Because("expired", "clock"), now)
    return len(overdue)


def sweep(op: Provider, now: datetime) -> int:
    """Forget a small batch of everything that nothing depends on; returns how many rows went."""
    return (
        op.throttle.sweep(now, BATCH)  # in a transaction of its own: before any other write
        + op.codes.sweep(now, BATCH)
        + op.codes.approvals.sweep(now, BATCH)
        + op.tokens.sweep(now, BATCH)
        + op.grants.sweep(now, BATCH)
        + op.sessions.sweep(now, BATCH)
        + op.sign_outs.sweep(now, BATCH)
        + op.events.sweep(now, BATCH)
        + op.clients.reap(now, BATCH)
        + op.keys.sweep(now, BATCH)
    )
