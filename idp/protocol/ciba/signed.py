"""Signed authentication requests (OpenID CIBA Core section 7.1.1), as strict as FAPI-CIBA wants
them: every claim there, for us, at most an hour long, and each once.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.tokens import CLOCK_MAY_JUMP
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import OAuthRequest, Parameters

LONGEST_LIFE = timedelta(minutes=60)
LONGEST_JTI = 512
TYPES = (None, "jwt", "oauth-authz-req+jwt")
PARAMETERS = (
    "scope",
    "client_notification_token",
    "acr_values",
    "login_hint_token",
    "id_token_hint",
    "login_hint",
    "binding_message",
    "user_code",
    "requested_expiry",
    "resource",
)
REQUIRED = ("iss", "aud", "exp", "iat", "nbf", "jti")


def opened(request: OAuthRequest, client: ClientView, op: Provider) -> OAuthRequest:
    """The request with the parameters that count: those of the JWT and no others, for a client
    that registered to sign its requests; those in the open for any other.
    """
    alg = client.details.get("backchannel_authentication_request_signing_alg")
    token = request.parameters.get("request")
    if alg is None:
        if token is not None:
            raise InvalidRequest("this client did not register to sign its requests")
        return request
    if token is None:
        raise InvalidRequest("the request must be signed")
    if any(name in request.parameters for name in PARAMETERS):
        raise InvalidRequest("a parameter stands outside the signed request")
    claims = _verified(token, alg, client, op, request.now)
    pairs = tuple(pair for name in PARAMETERS for pair in _pairs(name, claims.get(name)))
    return replace(request, body=Parameters(pairs=pairs))


def _verified(
    token: str, alg: str, client: ClientView, op: Provider, now: datetime
) -> dict[str, Any]:
    try:
        header = jose.header_of(token)
        keys = op.clients.keys.of(client.details, header.get("kid"), now)
        claims = jose.verify(token, keys, [alg])
        jose.check_times(claims, now)
    except jose.Unverifiable:
        raise InvalidRequest("the signed request is not good, or no longer") from None
    typ = header.get("typ")
    if (typ.lower() if isinstance(typ, str) else typ) not in TYPES:
        raise InvalidRequest("the request is another kind of token")
    if any(claims.get(name) is None for name in REQUIRED):
        raise InvalidRequest("the signed request lacks a claim")
    if claims["iss"] != client.client_id or op.rules.issuer not in jose.audiences(claims):
        raise InvalidRequest("the signed request is not from this client, or not for us")
    _judge_life(claims, now)
    _judge_first_time(claims, client, op, now)
    return claims


def _judge_life(claims: dict[str, Any], now: datetime) -> None:
    """No longer than an hour, and not begun longer ago (FAPI-CIBA section 5.2.2)."""
    longest = LONGEST_LIFE.total_seconds()
    if claims["exp"] - claims["nbf"] > longest or now.timestamp() - claims["nbf"] > longest:
        raise InvalidRequest("the signed request lives too long")


def _judge_first_time(
    claims: dict[str, Any], client: ClientView, op: Provider, now: datetime
) -> None:
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise InvalidRequest("jti is not a string that can be remembered")
    until = datetime.fromtimestamp(claims["exp"], UTC) + 2 * jose.SKEW + CLOCK_MAY_JUMP
    if not op.tokens.seen_once("ciba request", f"{client.client_id}|{jti}", until, now):
        raise InvalidRequest("the signed request came before")


def _pairs(name: str, value: object) -> list[tuple[str, str]]:
    """A claim as a parameter: a string, for requested_expiry also a number, for resource also
    several.
    """
    if value is None:
        return []
    if name == "requested_expiry" and isinstance(value, int) and not isinstance(value, bool):
        return [(name, str(value))]
    values = value if name == "resource" and isinstance(value, list) else [value]
    texts = [(name, item) for item in values if isinstance(item, str)]
    if len(texts) != len(values):
        raise InvalidRequest(f"{name} is of the wrong type")
    return texts
