"""Request objects: what the client has signed counts, and nothing beside it (RFC 9101; OpenID
Connect Core section 6). They come by value, or lie at an address that was registered.

Unsigned ones are not supported, for whoever could read one could change it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.metadata.profiles import algorithms
from idp.protocol.arrivals import arriving
from idp.protocol.authorize.at import At
from idp.protocol.errors import InvalidRequest, InvalidRequestObject, InvalidRequestUri
from idp.protocol.messages import OAuthRequest, Parameters

TYPES = (None, "jwt", "oauth-authz-req+jwt")
NOT_PARAMETERS = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})
LONGEST_LIFE = timedelta(minutes=60)


def unpacked(request: OAuthRequest, op: Provider, at: At) -> OAuthRequest:
    """The request with the parameters that are in its request object, or as it came if it has
    none.
    """
    sent = request.parameters
    if sent.repeated() & {"client_id", "request", "request_uri"}:
        raise InvalidRequest("a parameter is there more than once")
    by_value, uri = sent.get("request"), sent.get("request_uri")
    if by_value is None and uri is None:
        return request
    if by_value is not None and uri is not None:
        raise InvalidRequest("request and request_uri exclude each other")
    if uri is not None and at is not At.AUTHORIZE:
        raise InvalidRequest("a request_uri is not pushed")
    client = arriving(sent.get("client_id") or "", request, op)
    if client is None or not client.enabled:
        raise InvalidRequest("no such client", reason="unknown or disabled client")
    token = by_value if by_value is not None else _fetched(str(uri), client, op)
    try:
        claims = _judged(token, client, op, request.now, by_value=by_value is not None)
    except jose.Unverifiable as why:
        raise InvalidRequestObject("the request object is not good", reason=str(why)) from None
    inside = Parameters(pairs=tuple(_parameters(claims)))
    if request.method == "POST":
        return replace(request, body=inside)
    return replace(request, query=inside)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "require_signed_request_object": False,
        "request_object_signing_alg_values_supported": list(jose.ASYMMETRIC),
    }


def _fetched(uri: str, client: ClientView, op: Provider) -> str:
    found = op.clients.request_objects.at(uri, client)
    if found is None:
        raise InvalidRequestUri("the request_uri is not registered, or nothing good is there")
    return found


def _judged(
    token: str, client: ClientView, op: Provider, now: datetime, *, by_value: bool
) -> dict[str, Any]:
    """The claims, if this client signed them, for us, and for now."""
    registered = client.details.get("request_object_signing_alg")
    header = jose.header_of(token)
    typ = header.get("typ")
    if (typ.lower().removeprefix("application/") if isinstance(typ, str) else typ) not in TYPES:
        raise jose.Unverifiable("another kind of token")
    keys = op.clients.keys.of(client.details, header.get("kid"), now)
    known = (registered,) if registered else jose.ASYMMETRIC
    claims = jose.verify(token, keys, algorithms(client.profile, known))
    if not claims.get("client_id") == claims.get("iss") == client.client_id:
        raise jose.Unverifiable("another client's")
    if op.rules.issuer not in jose.audiences(claims):
        raise jose.Unverifiable("meant for another server")
    if claims.get("sub") == client.client_id:
        raise jose.Unverifiable("a client assertion")  # RFC 9101 section 10.8
    if "request" in claims or "request_uri" in claims:
        raise jose.Unverifiable("a request object in a request object")
    _judge_times(claims, client, now, by_value=by_value)
    return claims


def _judge_times(
    claims: Mapping[str, Any], client: ClientView, now: datetime, *, by_value: bool
) -> None:
    """By value it says when it ends; what lies at the client's own address the client can take
    away from there. Who signs always, keeps to the hour of FAPI 2.0 Message Signing 5.3.1.
    """
    strict = client.details.get("require_signed_request_object") is True
    if by_value or strict or "exp" in claims:
        jose.check_times(claims, now)
    else:
        jose.check_times({**claims, "exp": now.timestamp() + 1}, now)
    if not strict:
        return
    hour, nbf = LONGEST_LIFE.total_seconds(), claims.get("nbf")
    if nbf is None:
        raise jose.Unverifiable("nbf is missing")
    if nbf < now.timestamp() - hour or claims["exp"] > nbf + hour:
        raise jose.Unverifiable("it lives too long")


def _parameters(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The claims as the parameters they stand for (RFC 9101 section 4): text as it is, numbers
    and JSON as they are spelled, and a list of resources one by one.
    """
    for name, value in claims.items():
        if name in NOT_PARAMETERS or value is None:
            continue
        if name in ("resource", "audience") and isinstance(value, list):
            yield from ((name, item) for item in value if isinstance(item, str))
        else:
            yield name, value if isinstance(value, str) else json.dumps(value)
