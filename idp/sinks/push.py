"""Events to receivers that want to be called, retried until they are heard (RFC 8935)."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from idp.domain import Provider
from idp.domain.deliveries import PUSH, Delivery, Outcome, Try, pause_asked
from idp.domain.outbound import Outbound, OutboundRefused
from idp.domain.streams import ENABLED
from idp.protocol.ssf.tokens import event_token

NAME = PUSH
DEADLINE_SECONDS = 10.0
SUCCESS = range(200, 300)
REFUSED = 400
LONGEST_CODE = 100


def prepare(op: Provider, delivery: Delivery, now: datetime) -> Try:
    """The event, signed as of now, and what the receiver wants to see beside it."""
    streams = op.events.signals.streams
    stream = streams.get(delivery.stream_id or "")
    if stream is None:
        return partial(_unsent, Outcome(delivered=False, refused=True, answer="no such stream"))
    if stream.status != ENABLED or stream.endpoint_url is None:
        return partial(_unsent, Outcome(delivered=False, answer="the stream is held back"))
    headers = {"Content-Type": "application/secevent+jwt"}
    header = streams.terms(stream).authorization_header
    if header is not None:
        headers["Authorization"] = header
    token = event_token(op, stream.client_id, delivery.details, now)
    return partial(send, stream.endpoint_url, token.encode(), headers)


def send(address: str, body: bytes, headers: Mapping[str, str], outbound: Outbound) -> Outcome:
    """Post it, and judge the answer: 2xx heard, 400 refused with a reason, else try again
    (RFC 8935 sections 2.2 to 2.4).
    """
    try:
        answer = outbound.post(address, body, headers, DEADLINE_SECONDS)
    except OutboundRefused as error:
        return Outcome(delivered=False, answer=str(error))
    said = f"HTTP {answer.status}"
    if answer.status in SUCCESS:
        return Outcome(delivered=True, answer=said)
    if answer.status == REFUSED:
        return Outcome(delivered=False, refused=True, answer=f"{said} {_code(answer.body)}".strip())
    return Outcome(delivered=False, answer=said, retry_after=pause_asked(answer.headers))


def _unsent(outcome: Outcome, _outbound: Outbound) -> Outcome:
    return outcome


def _code(body: bytes) -> str:
    """The receiver's error code, if it gave one (section 2.4)."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    err = said.get("err") if isinstance(said, dict) else None
    shown = err[:LONGEST_CODE] if isinstance(err, str) else ""
    return "".join(char for char in shown if char.isprintable())
