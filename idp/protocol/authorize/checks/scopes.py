"""What is asked for, and at which APIs."""

import re
from dataclasses import replace

from idp.domain import Provider
from idp.protocol.authorize.draft import Draft
from idp.protocol.claims import OPENID_SCOPES
from idp.protocol.errors import InvalidRequest, InvalidScope, InvalidTarget
from idp.protocol.messages import OAuthRequest

SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
MOST_SCOPES = 100


def scope(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """Scopes that exist and that the client may ask for. Without a code nothing stays connected
    when the person is gone, so offline_access is ignored (OpenID Connect Core section 11).
    """
    asked = tuple(dict.fromkeys((request.parameters.get("scope") or "").split(" ")))
    asked = tuple(item for item in asked if item)
    if len(asked) > MOST_SCOPES or any(not SCOPE.fullmatch(item) for item in asked):
        raise InvalidScope("the scope is malformed")
    if draft.gives("id_token") and "openid" not in asked:
        raise InvalidRequest("an ID token needs the scope openid")
    if not draft.gives("code"):
        asked = tuple(item for item in asked if item != "offline_access")
    known = set(OPENID_SCOPES)
    if not set(asked) <= known:
        known |= set(op.resources.scopes())
    allowed = draft.client.scopes
    if any(item not in known for item in asked):
        raise InvalidScope("a scope is not known")
    if allowed is not None and not set(asked) <= allowed | {"openid"}:
        raise InvalidScope("a scope is not one this client may ask for")
    return replace(draft, scopes=asked)


def resource(draft: Draft, request: OAuthRequest, op: Provider) -> Draft:
    """The APIs the tokens are for (RFC 8707 section 2); those the scopes belong to, if unsaid."""
    asked = tuple(dict.fromkeys(request.parameters.all("resource")))
    beyond = set(draft.scopes) - set(OPENID_SCOPES)
    if not asked:
        return replace(draft, resources=op.resources.that_understand(beyond) if beyond else ())
    rows = op.resources.named(asked)
    if len(rows) != len(asked):
        raise InvalidTarget("the resource is not known")
    understood = {item for row in rows for item in row.scopes}
    if not beyond <= understood:
        raise InvalidScope("a scope does not belong to the resource")
    return replace(draft, resources=asked)
