"""A receiver asks for an event, to see that events arrive (OpenID SSF 1.0 section 8.1.4)."""

from idp.domain import Provider
from idp.domain.streams import VERIFIED_EVERY, TooSoon
from idp.protocol.errors import SlowDown
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.ssf.access import document, manager, optional_text, own


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Send a verification event with this `state` (OpenID SSF 1.0 section
    8.1.4.2).
    """
    client_id, said = manager(request, op), document(request)
    state = optional_text(said, "state", 1024)
    stream = own(op, client_id, said.get("stream_id"))
    try:
        op.events.signals.streams.verify(stream, state, request.now)
    except TooSoon:
        wait = str(int(VERIFIED_EVERY.total_seconds()))
        raise SlowDown("verified a moment ago", headers=(("Retry-After", wait),)) from None
    return Answer(status=204)
