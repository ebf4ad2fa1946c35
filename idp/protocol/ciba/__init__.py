"""The backchannel authentication endpoint (OpenID CIBA Core section 7): an app that knows a person
asks, and they answer on their account page.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from idp.domain import Provider
from idp.domain.approvals import CIBA
from idp.domain.clients import ClientView
from idp.domain.metadata import ciba as members
from idp.protocol import client_auth
from idp.protocol.ciba.hints import whom
from idp.protocol.ciba.signed import opened
from idp.protocol.device import MAY_REPEAT, wanted
from idp.protocol.errors import (
    InvalidBindingMessage,
    InvalidRequest,
    InvalidScope,
    SlowDown,
    UnauthorizedClient,
)
from idp.protocol.messages import Answer, OAuthRequest

LONGEST_MESSAGE = 64
LATIN = 0x24F
LONGEST_NOTIFICATION_TOKEN = 1024
NOTIFICATION_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
EXPIRY = re.compile(r"[1-9][0-9]{0,8}")
MOST_ACR_VALUES = 10
MOST_UNANSWERED = 25


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """An auth_req_id, for a request that was put to the person (section 7.3)."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    client = client_auth.authenticate(request, op)
    if client.public or members.GRANT_TYPE not in client.grant_types:
        raise UnauthorizedClient("CIBA is not registered for this client")
    asked = opened(request, client, op)
    draft = wanted(client, asked, op)
    if "openid" not in draft.scopes:
        raise InvalidScope("the scope must have openid in it")
    message, notify = _binding_message(asked), _notification_token(asked, client)
    lifetime = _lifetime(asked, op)
    if asked.parameters.get("user_code") is not None:
        raise InvalidRequest("user_code is not supported")
    account_id = whom(asked, client, op)
    if op.codes.approvals.unanswered(client.client_id, account_id, request.now) >= MOST_UNANSWERED:
        raise SlowDown("too many requests wait for this person", headers=(("Retry-After", "60"),))
    made = op.codes.approvals.ask(
        CIBA,
        client.client_id,
        {
            "scopes": list(draft.scopes),
            "resources": list(draft.resources),
            "acr_values": (asked.parameters.get("acr_values") or "").split()[:MOST_ACR_VALUES],
            "binding_message": message,
            "notify_at": client.details.get("backchannel_client_notification_endpoint"),
        },
        lifetime,
        request.now,
        account_id=account_id,
        notify=notify,
    )
    body = {
        "auth_req_id": made.handle,
        "expires_in": int(lifetime.total_seconds()),
        "interval": made.row.interval,
    }
    return Answer(body=body)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it (section 4)."""
    return {
        "backchannel_authentication_endpoint": f"{op.rules.issuer}/bc-authorize",
        "backchannel_token_delivery_modes_supported": list(members.DELIVERY_MODES),
        "backchannel_authentication_request_signing_alg_values_supported": list(
            members.REQUEST_ALGS
        ),
        "backchannel_user_code_parameter_supported": False,
    }


def _binding_message(asked: OAuthRequest) -> str:
    """What both sides show; short and plain, or it could not be compared (section 7.1)."""
    message = asked.parameters.get("binding_message") or ""
    plain = all(char.isprintable() and ord(char) <= LATIN for char in message)
    if len(message) > LONGEST_MESSAGE or not plain:
        raise InvalidBindingMessage("at most 64 plain characters can be shown")
    return message


def _notification_token(asked: OAuthRequest, client: ClientView) -> str | None:
    """The bearer token to ping the client with (section 7.1)."""
    if client.details["backchannel_token_delivery_mode"] != "ping":  # noqa: S105 - a mode
        return None
    token = asked.parameters.get("client_notification_token") or ""
    if len(token) > LONGEST_NOTIFICATION_TOKEN or not NOTIFICATION_TOKEN.fullmatch(token):
        raise InvalidRequest("client_notification_token is missing or malformed")
    return token


def _lifetime(asked: OAuthRequest, op: Provider) -> timedelta:
    """As the client would like it, and not longer than ours."""
    wish = asked.parameters.get("requested_expiry")
    if wish is None:
        return op.rules.approval_lifetime
    if not EXPIRY.fullmatch(wish):
        raise InvalidRequest("requested_expiry is not a number of seconds")
    return min(timedelta(seconds=int(wish)), op.rules.approval_lifetime)
