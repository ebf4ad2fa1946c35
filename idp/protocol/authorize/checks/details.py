"""What is asked for beyond scopes (RFC 9396)."""

from dataclasses import replace

from idp.domain import Provider
from idp.protocol.authorization_details import apis_of, read
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidTarget
from idp.protocol.messages import OAuthRequest


def authorization_details(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Details of known types, and the APIs they belong to (RFC 9396 sections 3 and 5)."""
    text = request.parameters.get("authorization_details")
    if text is None:
        return draft
    asked = read(text, draft.client, op)
    apis = apis_of(asked, op)
    named = request.parameters.all("resource")
    if named and not set(apis) <= set(named):
        raise InvalidTarget("the authorization details are for another resource")
    resources = tuple(dict.fromkeys((*draft.resources, *apis)))
    return replace(draft, authorization_details=asked, resources=resources)
