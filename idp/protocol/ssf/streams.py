"""Streams are made, read, changed and removed (OpenID SSF 1.0 section 8.1.1)."""

import json
from collections.abc import Callable, Mapping

from idp.domain import Provider, caep
from idp.domain.metadata.shapes import InvalidMetadata, web_uri
from idp.domain.streams import POLL, PUSH, VERIFIED_EVERY, Stream, Terms, TooMany
from idp.protocol.errors import InvalidRequest, TooManyStreams
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.ssf.access import document, manager, optional_text, own, reader
from idp.protocol.ssf.metadata import POLL_METHOD, PUSH_METHOD

METHODS = {PUSH_METHOD: PUSH, POLL_METHOD: POLL}
SPELLED = {PUSH: PUSH_METHOD, POLL: POLL_METHOD}
MOST_EVENTS = 64
LONGEST_EVENT = 512
LONGEST_HEADER = 4096


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """A client's streams are made, read, changed, replaced, removed (OpenID SSF 1.0 section 8)."""
    return _VERBS[request.method](request, op)


def described(stream: Stream, op: Provider) -> dict[str, object]:
    """A stream as its receiver sees it. What it sends along to be known by is not told again."""
    delivery = {"method": SPELLED[stream.method], "endpoint_url": stream.endpoint_url}
    if stream.method == POLL:
        delivery["endpoint_url"] = f"{op.rules.issuer}/ssf/poll/{stream.id}"
    said: dict[str, object] = {
        "stream_id": stream.id,
        "iss": op.rules.issuer,
        "aud": stream.client_id,
        "events_supported": list(caep.SUPPORTED),
        "events_requested": list(stream.events_requested),
        "events_delivered": [name for name in caep.SUPPORTED if name in stream.events_requested],
        "delivery": delivery,
        "min_verification_interval": int(VERIFIED_EVERY.total_seconds()),
    }
    if stream.description is not None:
        said["description"] = stream.description
    return said


def _create(request: OAuthRequest, op: Provider) -> Answer:
    """Section 8.1.1.1."""
    client_id = manager(request, op)
    terms = _terms(document(request), None, op)
    try:
        stream = op.events.signals.streams.create(client_id, terms, request.now)
    except TooMany:
        raise TooManyStreams("this client has as many streams as it may have") from None
    return Answer(status=201, body=described(stream, op))


def _read(request: OAuthRequest, op: Provider) -> Answer:
    """Section 8.1.1.2: one, or all of them."""
    client_id = reader(request, op)
    stream_id = request.query.get("stream_id")
    if stream_id is not None:
        return Answer(body=described(own(op, client_id, stream_id), op))
    found = op.events.signals.streams.of_client(client_id)
    return Answer(body=json.dumps([described(stream, op) for stream in found]))


def _update(request: OAuthRequest, op: Provider) -> Answer:
    """Section 8.1.1.3: what is not named stays as it is."""
    return _changed(request, op, keep=True)


def _replace(request: OAuthRequest, op: Provider) -> Answer:
    """Section 8.1.1.4: what is not named is gone."""
    return _changed(request, op, keep=False)


def _remove(request: OAuthRequest, op: Provider) -> Answer:
    """Section 8.1.1.5."""
    client_id = manager(request, op)
    stream = own(op, client_id, request.query.get("stream_id"))
    op.events.signals.streams.remove(stream, request.now)
    return Answer(status=204)


_VERBS: Mapping[str, Callable[[OAuthRequest, Provider], Answer]] = {
    "POST": _create,
    "GET": _read,
    "HEAD": _read,
    "PATCH": _update,
    "PUT": _replace,
    "DELETE": _remove,
}


def _changed(request: OAuthRequest, op: Provider, *, keep: bool) -> Answer:
    client_id, said = manager(request, op), document(request)
    stream = own(op, client_id, said.get("stream_id"))
    streams = op.events.signals.streams
    _agrees(said, stream, op)
    before = streams.terms(stream)
    merged = {**_as_asked(before), **said} if keep else said
    streams.change(stream, _terms(merged, before, op), request.now)
    return Answer(body=described(stream, op))


def _agrees(said: dict[str, object], stream: Stream, op: Provider) -> None:
    """What is ours to say, the receiver may repeat and not change."""
    ours = described(stream, op)
    for name in ("iss", "aud", "events_supported", "min_verification_interval"):
        if name in said and said[name] != ours[name]:
            raise InvalidRequest(f"{name} is not the receiver's to choose")


def _as_asked(terms: Terms) -> dict[str, object]:
    delivery = {"method": SPELLED[terms.method], "endpoint_url": terms.endpoint_url}
    asked: dict[str, object] = {
        "events_requested": list(terms.events_requested),
        "delivery": delivery,
    }
    return asked | ({"description": terms.description} if terms.description else {})


def _terms(said: dict[str, object], before: Terms | None, op: Provider) -> Terms:
    delivery = said.get("delivery", {"method": POLL_METHOD})
    if not isinstance(delivery, dict):
        raise InvalidRequest("delivery is not an object")
    spelled = delivery.get("method")
    method = METHODS.get(spelled) if isinstance(spelled, str) else None
    if method is None:
        raise InvalidRequest("the delivery method is not supported")
    description = optional_text(said, "description")
    events = _events(said.get("events_requested", list(caep.SUPPORTED)))
    if method == POLL:
        return Terms(
            events_requested=events,
            method=POLL,
            endpoint_url=None,
            authorization_header=None,
            description=description,
        )
    url = _endpoint(delivery.get("endpoint_url"), op)
    return Terms(
        events_requested=events,
        method=PUSH,
        endpoint_url=url,
        authorization_header=_header(delivery, url, before),
        description=description,
    )


def _events(given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) > MOST_EVENTS:
        raise InvalidRequest("events_requested is not a list, or too long a one")
    if not all(isinstance(name, str) and 0 < len(name) <= LONGEST_EVENT for name in given):
        raise InvalidRequest("events_requested has something in it that is no event")
    if not all(name.isprintable() for name in given):
        raise InvalidRequest("events_requested has characters no event has")
    return tuple(dict.fromkeys(given))


def _endpoint(given: object, op: Provider) -> str:
    """Where events are pushed; whether we may go there is asked at each try (SSR-01)."""
    try:
        return web_uri("endpoint_url", given, loopback=op.rules.loopback_allowed)
    except InvalidMetadata as error:
        raise InvalidRequest(str(error)) from None


def _header(delivery: dict[str, object], url: str, before: Terms | None) -> str | None:
    """What the receiver wants to see as Authorization. It is never told, so who does not name it
    for the same address keeps it; null takes it away.
    """
    if "authorization_header" not in delivery:
        same = before is not None and before.method == PUSH and before.endpoint_url == url
        return before.authorization_header if before is not None and same else None
    value = optional_text(delivery, "authorization_header", LONGEST_HEADER)
    if value is not None and not (value.isascii() and value == value.strip()):
        raise InvalidRequest("authorization_header cannot be sent as a header")
    return value or None
