"""The token endpoint (RFC 6749 section 3.2)."""

from collections.abc import Mapping

from idp.crypto.jose import ASYMMETRIC
from idp.domain import Provider
from idp.protocol import client_auth, dpop
from idp.protocol.engine import Engine
from idp.protocol.errors import InvalidRequest, UnsupportedGrantType
from idp.protocol.grants import GRANTS
from idp.protocol.messages import Answer, OAuthRequest

MAY_REPEAT = frozenset({"resource", "audience"})
GRANT_TYPES = tuple(str(grant.GRANT_TYPE) for grant in GRANTS)


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Exchange a grant for tokens; every refusal is RFC 6749 section 5.2."""
    if request.parameters.repeated(except_for=MAY_REPEAT):
        raise InvalidRequest("a parameter is there more than once")
    grant_type = request.parameters.get("grant_type")
    if grant_type is None:
        raise InvalidRequest("grant_type is missing")
    if grant_type not in GRANT_TYPES:
        raise UnsupportedGrantType("the grant_type is not supported")
    result: Answer = Engine(op, GRANTS).create_token_response(request)
    return dpop.with_nonce(result, request, op)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "token_endpoint": f"{op.rules.issuer}/token",
        "grant_types_supported": [*GRANT_TYPES, "implicit"],
        "token_endpoint_auth_methods_supported": client_auth.supported(op),
        "token_endpoint_auth_signing_alg_values_supported": [
            *ASYMMETRIC,
            "HS256",
            "HS384",
            "HS512",
        ],
    }
