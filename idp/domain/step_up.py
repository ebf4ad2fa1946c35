"""Somebody proves anew who they are, in a session that there is already."""

from datetime import datetime

from idp.crypto.secrets import Handle
from idp.domain import Provider
from idp.domain.login import Proof
from idp.domain.sessions import Session


def step_up(op: Provider, session: Session, proof: Proof, now: datetime) -> Handle:
    """The session's new cookie; the old one is dead. Whoever must know what the session is worth
    hears of it if that has changed.
    """
    previous = session.acr
    cookie = op.sessions.step_up(session, proof, now)
    if previous != proof.acr:
        op.events.record(
            "AssuranceChanged",
            now,
            account_id=session.account_id,
            session_id=session.id,
            previous=previous,
            current=proof.acr,
        )
    return cookie
