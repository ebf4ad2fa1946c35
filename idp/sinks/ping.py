"""Pings to apps that wait for a person's answer (OpenID CIBA Core section 10.2)."""

import json
from datetime import datetime
from functools import partial

from idp.domain import Provider
from idp.domain.approvals import PING
from idp.domain.deliveries import Delivery, Outcome, Try
from idp.domain.outbound import Outbound, OutboundRefused

NAME = PING
DEADLINE_SECONDS = 10.0
SUCCESS = range(200, 300)
FAULTS = range(500, 600)
OVER = Outcome(delivered=False, refused=True, answer="the request is over")


def prepare(op: Provider, delivery: Delivery, now: datetime) -> Try:
    """The handle, and the secret the app is to know us by. Both are opened only now, and nothing
    is sent for what is over.
    """
    row = op.codes.approvals.get(str(delivery.details["approval"]))
    secrets = op.codes.approvals.secrets(row) if row is not None else None
    if row is None or secrets is None or row.spent_at is not None or row.expires_at <= now:
        return lambda _outbound: OVER
    handle, notify = secrets
    return partial(send, delivery.address, handle, notify)


def send(address: str, handle: str, notify: str, outbound: Outbound) -> Outcome:
    """Post it. Redirects are not followed, and who refuses is not asked again; only one that
    cannot be reached or is out of order is (section 10.2).
    """
    headers = {"Authorization": f"Bearer {notify}", "Content-Type": "application/json"}
    body = json.dumps({"auth_req_id": handle}).encode()
    try:
        answer = outbound.post(address, body, headers, DEADLINE_SECONDS)
    except OutboundRefused as error:
        return Outcome(delivered=False, answer=str(error))
    said = f"HTTP {answer.status}"
    if answer.status in SUCCESS:
        return Outcome(delivered=True, answer=said)
    return Outcome(delivered=False, refused=answer.status not in FAULTS, answer=said)
