"""The userinfo endpoint (OpenID Connect Core section 5.3)."""

from collections.abc import Mapping

from idp.crypto import jose
from idp.domain import Provider
from idp.protocol.claims import CLAIMS_SUPPORTED, user_claims
from idp.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken
from idp.protocol.messages import Answer, OAuthRequest

REALM = 'Bearer realm="idp"'


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """The claims of the person behind an access token, as JSON or as a signed JWT."""
    access = op.tokens.read_access(_token(request), request.now)
    if access is None or op.rules.issuer not in access.audiences or access.line_id is None:
        raise _refusal()
    if op.tokens.live.ended(access.lineage, request.now) is not None:
        raise _refusal()
    if "openid" not in access.scopes:
        challenge = f'{REALM}, error="insufficient_scope", scope="openid"'
        raise InsufficientScope(
            "the scope openid is needed", headers=(("WWW-Authenticate", challenge),)
        )
    line = op.grants.line(access.line_id)
    if line is None:
        raise _refusal()
    claims = user_claims(op, line, access.scopes)
    client = op.clients.find(access.client_id)
    if client is None or client.userinfo_alg is None:
        return Answer(body=claims)
    signed = {**claims, "iss": op.rules.issuer, "aud": client.client_id}
    signer = op.keys.signer(client.userinfo_alg, request.now)
    return Answer(body=jose.sign(signer, signed, typ="JWT"), content_type="application/jwt")


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "userinfo_endpoint": f"{op.rules.issuer}/userinfo",
        "userinfo_signing_alg_values_supported": list(jose.OUR_ALGORITHMS),
        "claims_supported": list(CLAIMS_SUPPORTED),
        "claims_parameter_supported": True,
    }


def _token(request: OAuthRequest) -> str:
    """The token, from the header or the form, and from one of them only (RFC 6750 section 2)."""
    given = request.headers.get("authorization", ())
    bodily = request.body.all("access_token") if request.method == "POST" else ()
    if len(given) + len(bodily) > 1:
        raise InvalidRequest("the access token is there more than once")
    if bodily:
        return bodily[0]
    scheme, _, token = (given[0] if given else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("", headers=(("WWW-Authenticate", REALM),))
    return token.strip()


def _refusal() -> InvalidToken:
    challenge = f'{REALM}, error="invalid_token"'
    return InvalidToken(
        "the access token is not good, or no longer", headers=(("WWW-Authenticate", challenge),)
    )
