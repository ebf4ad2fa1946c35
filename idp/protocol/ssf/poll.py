"""Receivers fetch their events, and say which have arrived (RFC 8936)."""

import time
from functools import partial

from idp.domain import Provider
from idp.domain.streams import ENABLED, POLL
from idp.protocol.errors import InvalidRequest, NoSuchStream, to_answer
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.ssf.access import document, manager, own
from idp.protocol.ssf.tokens import event_token

MOST_EVENTS = 100
MOST_ANSWERS = 1000
LONGEST_WAIT = 15.0
LOOK_EVERY = 0.25


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Take note of what was heard, then hand out what was not (RFC 8936 section 2.4).

    With nothing to hand out it waits a while for news, unless told not to.
    """
    client_id = manager(request, op)
    stream = own(op, client_id, request.path_argument)
    if stream.method != POLL:
        raise InvalidRequest("the events of this stream are pushed")
    said = document(request)
    most = _most(said.get("maxEvents"))
    at_once = said.get("returnImmediately", False)
    if not isinstance(at_once, bool):
        raise InvalidRequest("returnImmediately is neither true nor false")
    queue = op.events.signals.streams.queue
    queue.settle(stream.id, _heard(said.get("ack")), _refused(said.get("setErrs")), request.now)
    if at_once or most == 0:
        return _handed_out(request, op, stream.id, most)
    return Answer(later=partial(_awaited, request, op, stream.id, most))


def _handed_out(request: OAuthRequest, op: Provider, stream_id: str, most: int) -> Answer:
    """The oldest events as tokens, and whether there are more; none of a stream that is held
    back.
    """
    streams = op.events.signals.streams
    stream = streams.get(stream_id)
    if stream is None:
        raise NoSuchStream("there is no such stream any more")
    rows = streams.queue.fetch(stream.id, most + 1) if stream.status == ENABLED else []
    sets = {
        str(row.details["jti"]): event_token(op, stream.client_id, row.details, request.now)
        for row in rows[:most]
    }
    said: dict[str, object] = {"sets": sets}
    return Answer(body=said | ({"moreAvailable": True} if len(rows) > most else {}))


def _awaited(request: OAuthRequest, op: Provider, stream_id: str, most: int) -> Answer:
    """The same as soon as there is something, for a bounded time and a bounded number of
    receivers (RFC 8936 section 2.2). No connection is held while nothing happens.
    """
    seats = op.events.signals.streams.seats
    if seats.acquire(blocking=False):
        try:
            _wait(op, stream_id)
        finally:
            seats.release()
    try:
        return _handed_out(request, op, stream_id, most)
    except NoSuchStream as refusal:
        return to_answer(refusal)


def _wait(op: Provider, stream_id: str) -> None:
    ends = time.monotonic() + LONGEST_WAIT
    while not op.events.signals.streams.pending(stream_id):
        left = ends - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, LOOK_EVERY))


def _most(given: object) -> int:
    if given is None:
        return MOST_EVENTS
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise InvalidRequest("maxEvents is not a number")
    return min(given, MOST_EVENTS)


def _heard(given: object) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > MOST_ANSWERS:
        raise InvalidRequest("ack is not a list, or too long a one")
    if not all(isinstance(jti, str) for jti in given):
        raise InvalidRequest("ack has something in it that is no jti")
    return given


def _refused(given: object) -> dict[str, str]:
    """Which events the receiver could not take, and why (section 2.6)."""
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MOST_ANSWERS:
        raise InvalidRequest("setErrs is not an object, or too long a one")
    return {jti: f"refused: {_code(why)}" for jti, why in given.items()}


def _code(why: object) -> str:
    err = why.get("err") if isinstance(why, dict) else None
    if not isinstance(err, str):
        raise InvalidRequest("setErrs does not say what went wrong")
    return "".join(char for char in err[:100] if char.isprintable())
