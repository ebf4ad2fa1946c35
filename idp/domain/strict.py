"""Strict sign-out: it is answered when every guard that listens has heard of it (promise P4).

The wait is bounded by `max_silence`, after which no guard trusts what it knew before; and the
receipt says which guards confirmed and which merely fell silent.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from idp.domain import Provider
from idp.domain.leases import Lease
from idp.domain.receipts import CONFIRMED, LAPSED, Concern
from idp.domain.sign_out import Receipt

log = structlog.get_logger()


def settle(op: Provider, receipts: Iterable[Receipt | None], now: datetime) -> None:
    """Wait for the guards; call it after the commit, and commit what it wrote. A store that is
    away now changes nothing of the sign-out, which is done.
    """
    if not op.rules.strict:
        return
    feed = op.sign_outs.feed
    try:
        told = feed.leases.settle(feed.look(), now)
    except SQLAlchemyError:
        log.warning("whether the guards have heard is not known", exc_info=True)
        return
    concerns = [_concern(op, lease, heard) for lease, heard in told]
    for receipt in receipts:
        if receipt is not None and concerns:
            op.sign_outs.receipts.add(receipt.id, concerns, now)


def _concern(op: Provider, lease: Lease, heard: bool) -> Concern:
    names = sorted(row.name for row in op.resources.named(lease.resources))
    return Concern(
        kind="guard",
        name=", ".join(names)[:255],
        reference=lease.guard,
        state=CONFIRMED if heard else LAPSED,
    )
