"""The logo of a client, from us and not from its server: looking at a page tells nobody
(RFC 7591 section 2 has `logo_uri`).
"""

from collections.abc import Mapping

from idp.domain import Provider
from idp.protocol.messages import Answer, OAuthRequest

HEADERS = (
    ("Cache-Control", "public, max-age=3600"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
)
NOT_FOUND = Answer(status=404, body={"error": "not_found"})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """A picture, or that there is none."""
    client_id = request.query.get("client_id")
    client = op.clients.find(client_id) if client_id is not None else None
    if client is None or not client.enabled:
        return NOT_FOUND
    logo = op.clients.logos.of(client, request.now)
    if logo is None:
        return NOT_FOUND
    return Answer(body=logo.body, content_type=logo.kind, headers=HEADERS, cacheable=True)


def metadata(op: Provider) -> Mapping[str, object]:
    """Discovery says nothing about it: it is for pages of our own."""
    return {}
