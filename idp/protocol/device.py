"""The device authorization endpoint (RFC 8628 section 3.1): a device without a keyboard asks, and
shows a code that a person types elsewhere.
"""

import math
from collections.abc import Mapping

from idp.domain import Provider
from idp.domain.approvals import DEVICE
from idp.domain.clients import ClientView
from idp.domain.metadata.members import DEVICE_CODE
from idp.domain.throttle import Throttled, network
from idp.domain.user_code import shown
from idp.protocol import client_auth
from idp.protocol.authorize.checks import scopes
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest, SlowDown, UnauthorizedClient
from idp.protocol.messages import Answer, OAuthRequest

MAY_REPEAT = frozenset({"resource", "audience"})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """A device_code for the device, a user_code for the person, and where to type it."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    _refuse_flood(request, op)
    client = client_auth.authenticate(request, op)
    if DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClient("the device grant is not registered for this client")
    draft = wanted(client, request, op)
    asked = op.codes.approvals.ask(
        DEVICE,
        client.client_id,
        {
            "scopes": list(draft.scopes),
            "resources": list(draft.resources),
            "address": request.address[:64],
        },
        op.rules.approval_lifetime,
        request.now,
    )
    code, page = shown(asked.user_code), f"{op.rules.issuer}/device"
    body = {
        "device_code": asked.handle,
        "user_code": code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={code}",
        "expires_in": int(op.rules.approval_lifetime.total_seconds()),
        "interval": asked.row.interval,
    }
    return Answer(body=body)


def wanted(client: ClientView, request: OAuthRequest, op: Provider) -> Draft:
    """The scopes and resources asked for, by the same rules as at the authorization endpoint. As
    with a code, the tokens come from the token endpoint.
    """
    draft = Draft(client=client, redirect_uri="", redirect_uri_sent=False, response_type="code")
    for rule in (scopes.scope, scopes.resource):
        draft = rule(draft, request, op)
    return draft


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {"device_authorization_endpoint": f"{op.rules.issuer}/device_authorization"}


def _refuse_flood(request: OAuthRequest, op: Provider) -> None:
    """Nobody fills our tables: whoever knows a client_id may ask here."""
    try:
        op.throttle.count("device_request", network(request.address), request.now)
    except Throttled as error:
        wait = str(max(1, math.ceil(error.retry_after.total_seconds())))
        raise SlowDown("too many requests", headers=(("Retry-After", wait),)) from None
