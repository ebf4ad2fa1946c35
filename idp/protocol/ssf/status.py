"""Whether a stream runs (OpenID SSF 1.0 section 8.1.2)."""

from idp.domain import Provider
from idp.domain.streams import STATUSES, Stream
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.ssf.access import document, manager, optional_text, own, reader


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Whether a stream runs, is held back, or tells nothing (OpenID SSF 1.0
    section 8.1.2).
    """
    if request.method != "POST":
        client_id = reader(request, op)
        return Answer(body=_described(own(op, client_id, request.query.get("stream_id"))))
    client_id, said = manager(request, op), document(request)
    status, reason = said.get("status"), optional_text(said, "reason")
    if not isinstance(status, str) or status not in STATUSES:
        raise InvalidRequest("status is not one a stream can have")
    stream = own(op, client_id, said.get("stream_id"))
    op.events.signals.streams.set_status(stream, status, reason, request.now)
    return Answer(body=_described(stream))


def _described(stream: Stream) -> dict[str, object]:
    said: dict[str, object] = {"stream_id": stream.id, "status": stream.status}
    return said | ({"reason": stream.reason} if stream.reason else {})
