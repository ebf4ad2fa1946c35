"""Logout tokens to relying parties, retried until they are heard (Back-Channel Logout 1.0)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from idp.domain import Provider
from idp.domain.deliveries import Delivery, Outcome, Try, pause_asked
from idp.domain.outbound import Outbound, OutboundRefused
from idp.protocol.logout import logout_token

NAME = "backchannel"
DEADLINE_SECONDS = 10.0


def prepare(op: Provider, delivery: Delivery, now: datetime) -> Try:
    """The form to post: one fresh logout token and nothing else (section 2.5)."""
    details = delivery.details
    token = logout_token(
        op,
        client_id=delivery.client_id,
        sub=str(details["sub"]),
        sid=str(details["sid"]),
        alg=str(details["alg"]),
        now=now,
    )
    return partial(send, delivery.address, {"logout_token": token})


def send(address: str, form: Mapping[str, str], outbound: Outbound) -> Outcome:
    """Post it, and judge the answer (section 2.8): 2xx heard, 400 refused, else try again."""
    try:
        answer = outbound.post_form(address, form, DEADLINE_SECONDS)
    except OutboundRefused as error:
        return Outcome(delivered=False, answer=str(error))
    said = f"HTTP {answer.status}"
    if answer.status in (200, 204):
        return Outcome(delivered=True, answer=said)
    if answer.status == 400:  # noqa: PLR2004 - the standard's own number
        return Outcome(delivered=False, refused=True, answer=said)
    return Outcome(delivered=False, answer=said, retry_after=pause_asked(answer.headers))
