"""Of whom a stream tells (OpenID SSF 1.0 section 8.1.3).

The answer is the same whether we know such a person or not: a stream is no way to ask.
"""

from idp.domain import Provider, subjects
from idp.domain.streams import TooMany
from idp.protocol.errors import AccessRefused, InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.ssf.access import document, manager, own


def add(request: OAuthRequest, op: Provider) -> Answer:
    """The receiver wants to hear of a person (OpenID SSF 1.0 section 8.1.3.2)."""
    _name(request, op, wanted=True)
    return Answer(status=200, body={})


def remove(request: OAuthRequest, op: Provider) -> Answer:
    """The receiver does not want to hear of a person any more (OpenID SSF 1.0
    section 8.1.3.3).
    """
    _name(request, op, wanted=False)
    return Answer(status=204)


def _name(request: OAuthRequest, op: Provider, *, wanted: bool) -> None:
    client_id, said = manager(request, op), document(request)
    stream = own(op, client_id, said.get("stream_id"))
    try:
        subject = subjects.read(said.get("subject"))
    except subjects.NoSubject as error:
        raise InvalidRequest(str(error)) from None
    try:
        streams = op.events.signals.streams
        streams.name_subject(stream, subject, request.now, wanted=wanted)
    except TooMany:
        raise AccessRefused("the stream names as many people as it may") from None
