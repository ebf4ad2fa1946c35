"""Pings to apps that wait for a person's answer (OpenID CIBA Core section 10.2)."""

import json
from collections.abc import Mapping
from datetime import datetime

from idp.domain import Provider
from idp.domain.approvals import PING
from idp.domain.deliveries import Delivery, Outcome
from idp.domain.outbound import Outbound, OutboundRefused

NAME = PING
DEADLINE_SECONDS = 10.0
FAULTS = range(500, 600)


def prepare(op: Provider, delivery: Delivery, now: datetime) -> Mapping[str, str]:
    """What is sent: the handle, and the secret the app is to know us by. Both are opened only
    now, and nothing is sent for what is over.
    """
    row = op.codes.approvals.get(str(delivery.details["approval"]))
    secrets = op.codes.approvals.secrets(row) if row is not None else None
    if row is None or secrets is None or row.spent_at is not None or row.expires_at <= now:
        return {}
    handle, notify = secrets
    return {"auth_req_id": handle, "token": notify}


def send(outbound: Outbound, address: str, form: Mapping[str, str]) -> Outcome:
    """Post it once. Redirects are not followed, a refusal is not answered by another try; only
    who could not be reached, or is out of order, is tried again (section 10.2).
    """
    if not form:
        return Outcome(delivered=False, refused=True, answer="the request is over")
    headers = {
        "Authorization": f"Bearer {form['token']}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"auth_req_id": form["auth_req_id"]}).encode()
    try:
        answer = outbound.post(address, body, headers, DEADLINE_SECONDS)
    except OutboundRefused as error:
        return Outcome(delivered=False, answer=str(error))
    said = f"HTTP {answer.status}"
    if answer.status in (200, 204):
        return Outcome(delivered=True, answer=said)
    return Outcome(delivered=False, refused=answer.status not in FAULTS, answer=said)
