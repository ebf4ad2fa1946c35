"""Logout tokens to relying parties, retried until they are heard (Back-Channel Logout 1.0)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from idp.domain import Provider
from idp.domain.deliveries import Delivery, Outcome
from idp.domain.outbound import Outbound, OutboundRefused
from idp.protocol.logout import logout_token

NAME = "backchannel"
DEADLINE_SECONDS = 10.0
LONGEST_RETRY_AFTER = timedelta(hours=1)


def prepare(op: Provider, delivery: Delivery, now: datetime) -> Mapping[str, str]:
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
    return {"logout_token": token}


def send(outbound: Outbound, address: str, form: Mapping[str, str]) -> Outcome:
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
    return Outcome(delivered=False, answer=said, retry_after=_retry_after(answer.headers))


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What the client asks for in seconds, within reason."""
    asked = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    if not asked.isdecimal() or len(asked) > 6:  # noqa: PLR2004 - eleven days is not a pause
        return None
    return min(timedelta(seconds=int(asked)), LONGEST_RETRY_AFTER)
