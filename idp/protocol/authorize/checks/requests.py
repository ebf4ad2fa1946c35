"""Request objects (OpenID Connect Core section 6)."""

from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import RequestNotSupported, RequestUriNotSupported
from idp.protocol.messages import OAuthRequest


def request_objects(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Not supported, and not advertised (OpenID Connect Core section 6)."""
    if request.parameters.get("request") is not None:
        raise RequestNotSupported("request objects are not supported")
    if request.parameters.get("request_uri") is not None:
        raise RequestUriNotSupported("request objects are not supported")
    return draft
