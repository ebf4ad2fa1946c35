"""The introspection endpoint (RFC 7662): whether a token is good, for those it is meant for."""

from collections.abc import Mapping

from idp.crypto.jose import ASYMMETRIC
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.tokens import AccessToken
from idp.protocol import client_auth
from idp.protocol.dpop import token_type
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest

INACTIVE = Answer(body={"active": False})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Everything about a live token to its API or its client; otherwise only "inactive"."""
    if request.parameters.repeated():
        raise InvalidRequest("a parameter is there more than once")
    caller = client_auth.authenticate(request, op)
    if caller.public:
        raise InvalidClient("a client that cannot authenticate may not ask")
    token = request.parameters.get("token")
    if token is None:
        raise InvalidRequest("token is missing")
    access = op.tokens.read_access(token, request.now)
    if access is not None:
        return _about_access(access, caller, op, request)
    return _about_refresh(token, caller, op, request)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "introspection_endpoint": f"{op.rules.issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": [
            method for method in client_auth.SUPPORTED if method != "none"
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC),
    }


def _about_access(
    access: AccessToken, caller: ClientView, op: Provider, request: OAuthRequest
) -> Answer:
    """A token not meant for the caller does not exist for it (INT-03)."""
    if access.client_id != caller.client_id and not access.audiences & caller.serves:
        return INACTIVE
    if op.tokens.live.ended(access.lineage, request.now) is not None:
        return INACTIVE
    hidden = {"line"}
    said = {name: value for name, value in access.claims.items() if name not in hidden}
    return Answer(body={"active": True, **said, "token_type": token_type(access.jkt)})


def _about_refresh(token: str, caller: ClientView, op: Provider, request: OAuthRequest) -> Answer:
    line = op.grants.line_of(token)
    if line is None or line.client_id != caller.client_id or not op.grants.newest(token):
        return INACTIVE
    if line.idle_expires_at <= request.now:
        return INACTIVE
    if op.tokens.live.ended(op.tokens.lineage_of(line), request.now) is not None:
        return INACTIVE
    return Answer(
        body={
            "active": True,
            "iss": op.rules.issuer,
            "sub": line.account_id,
            "aud": op.rules.issuer,
            "client_id": line.client_id,
            "scope": " ".join(line.scopes),
            "iat": int(line.created_at.timestamp()),
            "exp": int(line.idle_expires_at.timestamp()),
        }
    )
