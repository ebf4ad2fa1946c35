"""What a person's yes or no does."""

from datetime import datetime, timedelta

from idp.domain import Provider
from idp.domain.approvals import ALLOWED, CIBA, DENIED, DEVICE, PING, Approval, Given
from idp.domain.clients import ClientView
from idp.domain.live import Lineage
from idp.domain.login import a_code_helps, satisfies
from idp.domain.sessions import Session

FRESH = timedelta(minutes=10)
EVENTS = {
    (DEVICE, ALLOWED): "DeviceAllowed",
    (DEVICE, DENIED): "DeviceDenied",
    (CIBA, ALLOWED): "RequestAllowed",
    (CIBA, DENIED): "RequestDenied",
}


def outdated(
    op: Provider, row: Approval, client: ClientView, session: Session, now: datetime
) -> bool:
    """Whether the person must prove anew who they are before they may say yes: because the app
    wants a younger sign-in than theirs, or a stronger one (DEV-05).
    """
    age = now - session.auth_time
    longest = client.details.get("default_max_age")
    if longest is not None and age > max(timedelta(seconds=longest), timedelta(minutes=1)):
        return True
    wanted = row.asked.get("acr_values") or ()
    if a_code_helps(session.acr, wanted) and op.accounts.second_factors.enrolled(
        session.account_id
    ):
        return True
    return bool(wanted) and age > FRESH and not any(satisfies(session.acr, w) for w in wanted)


def allow(op: Provider, row: Approval, session: Session, address: str, now: datetime) -> bool:
    """The person says yes in this session; whatever the app gets ends with it. False when
    somebody has answered before, or it is too late.
    """
    lineage = Lineage(
        client_id=row.client_id,
        account_id=session.account_id,
        session_id=session.id,
        generation=session.generation,
    )
    if op.tokens.live.ended(lineage, now, lock=True) is not None:
        return False
    if not op.codes.approvals.answer(row, session.account_id, ALLOWED, now):
        return False
    grant = op.grants.allow(
        session.account_id,
        row.client_id,
        scopes=row.asked["scopes"],
        resources=row.asked["resources"],
        claims=(),
        now=now,
    )
    given = Given(
        grant_id=grant.id,
        generation=session.generation,
        auth_time=int(session.auth_time.timestamp()),
        acr=session.acr,
        amr=tuple(session.amr),
    )
    op.codes.approvals.give(row, session.id, given)
    _tell(op, row, session, ALLOWED, address, now)
    return True


def deny(op: Provider, row: Approval, session: Session, address: str, now: datetime) -> bool:
    """The person says no; likewise."""
    if not op.codes.approvals.answer(row, session.account_id, DENIED, now):
        return False
    _tell(op, row, session, DENIED, address, now)
    return True


def _tell(
    op: Provider, row: Approval, session: Session, said: str, address: str, now: datetime
) -> None:
    """The audit trail, and the app if it wants to be pinged (CIBA Core section 10.2)."""
    op.events.record(
        EVENTS[row.kind, said],
        now,
        account_id=session.account_id,
        client_id=row.client_id,
        session_id=session.id,
        address=address,
        scopes=list(row.asked["scopes"]),
    )
    if row.kind == CIBA and row.sealed is not None:
        op.sign_outs.deliveries.put(
            sink=PING,
            client_id=row.client_id,
            address=row.asked["notify_at"],
            details={"approval": row.id},
            receipt_line_id=None,
            now=now,
        )
