"""Who may manage streams: a client, by an access token of its own, and only its own streams."""

from idp.domain import Provider
from idp.domain.streams import Stream
from idp.protocol import bearer
from idp.protocol.errors import InvalidRequest, NoSuchStream
from idp.protocol.messages import OAuthRequest
from idp.protocol.own_scopes import SSF_MANAGE, SSF_READ

LONGEST_ID = 43


def reader(request: OAuthRequest, op: Provider) -> str:
    """The client that may at least look at its streams."""
    return bearer.accepted_of_client(request, op, (SSF_READ, SSF_MANAGE)).client_id


def manager(request: OAuthRequest, op: Provider) -> str:
    """The client that may change its streams and hear what they tell."""
    return bearer.accepted_of_client(request, op, (SSF_MANAGE,)).client_id


def own(op: Provider, client_id: str, stream_id: object) -> Stream:
    """One of its streams; another's does not exist for it."""
    if not isinstance(stream_id, str):
        raise InvalidRequest("stream_id is missing")
    streams = op.events.signals.streams
    is_name = len(stream_id) <= LONGEST_ID and stream_id.isprintable()
    stream = streams.find(client_id, stream_id) if is_name else None
    if stream is None:
        raise NoSuchStream("there is no such stream")
    return stream


def document(request: OAuthRequest) -> dict[str, object]:
    """The body, which is a JSON object."""
    if not isinstance(request.json, dict):
        raise InvalidRequest("the body is not a JSON object")
    return request.json


def optional_text(said: dict[str, object], name: str, longest: int = 512) -> str | None:
    """A member that is a text if it is there, and can be kept."""
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise InvalidRequest(f"{name} is not a text of at most {longest} characters")
    return value
