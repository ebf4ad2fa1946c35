"""Requests that do not come in the address: pushed ones, and request objects."""

from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest, RequestNotSupported, RequestUriNotSupported
from idp.protocol.messages import OAuthRequest


def must_be_pushed(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """A client may have said that its requests never come with a browser (RFC 9126 section 6)."""
    if draft.client.details.get("require_pushed_authorization_requests") is True:
        raise InvalidRequest("this client pushes its requests")
    return draft


def request_objects(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Not supported, and not advertised (OpenID Connect Core section 6)."""
    if request.parameters.get("request") is not None:
        raise RequestNotSupported("request objects are not supported")
    if request.parameters.get("request_uri") is not None:
        raise RequestUriNotSupported("request objects are not supported")
    return draft
