"""The introspection endpoint (RFC 7662): whether a token is good, for those it is meant for."""

from collections.abc import Mapping

from idp.crypto.jose import ASYMMETRIC
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.tokens import AccessToken, PolicySet, Presented
from idp.policies.model import Touch
from idp.protocol import bearer, client_auth, signed_introspection
from idp.protocol.authorization_details import said as said_of
from idp.protocol.claims import policies_at
from idp.protocol.encryption import Envelope, envelope
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.possession import token_type

Said = Mapping[str, object]

FOR_GUARDS = frozenset({"line", "gen", "policies", "lineage"})
INACTIVE: Said = {"active": False}


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
    signs = signed_introspection.wanted(request)
    closed = envelope(op, caller, "introspection", request.now) if signs else Envelope()
    access = op.tokens.read_access(token, request.now)
    if access is not None:
        said = _about_access(access, caller, op, request)
    else:
        said = _about_refresh(token, caller, op, request)
    if signs:
        return signed_introspection.signed(said, caller, closed, op, request.now)
    return Answer(body=said)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "introspection_endpoint": f"{op.rules.issuer}/introspect",
        "introspection_endpoint_auth_methods_supported": [
            method for method in client_auth.supported(op) if method != "none"
        ],
        "introspection_endpoint_auth_signing_alg_values_supported": list(ASYMMETRIC),
        **signed_introspection.metadata(op),
    }


def _about_access(
    access: AccessToken, caller: ClientView, op: Provider, request: OAuthRequest
) -> Said:
    """A token not meant for the caller does not exist for it (INT-03)."""
    served = sorted(access.audiences & caller.serves)
    if access.client_id != caller.client_id and not served:
        return INACTIVE
    resource = served[0] if served else min(access.audiences)
    policies = policies_at(op, resource)
    keys = access.bound_to  # the API has asked for the proof
    seen = Presented(resource=resource, proven_jkt=keys.jkt, proven_x5t=keys.x5t)
    if op.tokens.judge(access, seen, policies, request.now) is not None:
        return INACTIVE
    kind = token_type(keys)
    said: dict[str, object] = {"active": True, **access.claims, "token_type": kind}
    if not served:
        return {name: said[name] for name in said if name not in FOR_GUARDS}
    together = PolicySet.named((*access.policies, *policies))
    if together.roles:
        held = op.resources.roles.held(bearer.account_of(access, op), resource)
        said |= {"roles": held.roles, "permissions": held.permissions, "version": held.version}
    _used(access, together, op, request)
    return said | {"policies": together.names}


def _used(access: AccessToken, policies: PolicySet, op: Provider, request: OAuthRequest) -> None:
    """What a call at an API leaves behind: where a policy slides, the idle ends move."""
    for effect in policies.on_use(access.facts):
        match effect:
            case Touch(token) if token.line is not None:
                op.sessions.used(token.line, request.now)


def _about_refresh(token: str, caller: ClientView, op: Provider, request: OAuthRequest) -> Said:
    line = op.grants.line_of(token)
    if line is None or line.client_id != caller.client_id or not op.grants.newest(token):
        return INACTIVE
    if line.idle_expires_at <= request.now:
        return INACTIVE
    if op.tokens.live.ended(op.tokens.lineage_of(line), request.now) is not None:
        return INACTIVE
    return {
        "active": True,
        "iss": op.rules.issuer,
        "sub": line.sub or line.account_id,
        "aud": op.rules.issuer,
        "client_id": line.client_id,
        "scope": " ".join(line.scopes),
        "iat": int(line.created_at.timestamp()),
        "exp": int(line.idle_expires_at.timestamp()),
        **said_of(line.authorization_details),
    }
