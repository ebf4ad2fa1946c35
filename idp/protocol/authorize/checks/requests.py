"""How a request must come in: some clients push theirs, or sign them, always."""

from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest


def must_be_pushed(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """A client may have said that its requests never come with a browser (RFC 9126 section 6)."""
    if draft.client.details.get("require_pushed_authorization_requests") is True:
        raise InvalidRequest("this client pushes its requests")
    return draft


def must_be_signed(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """A client may have said that its requests are signed, all of them (RFC 9101 10.5)."""
    if draft.client.details.get("require_signed_request_object") is True and not draft.signed:
        raise InvalidRequest("this client signs its requests")
    return draft
