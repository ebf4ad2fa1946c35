"""The userinfo endpoint (OpenID Connect Core section 5.3)."""

from collections.abc import Mapping

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.tokens import Presented
from idp.protocol.claims import CLAIMS_SUPPORTED, user_claims
from idp.protocol.dpop import CHALLENGE as DPOP
from idp.protocol.dpop import proven_with, with_nonce
from idp.protocol.errors import InsufficientScope, InvalidRequest, InvalidToken
from idp.protocol.messages import Answer, OAuthRequest

BEARER = 'Bearer realm="idp"'


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """The claims of the person behind an access token, as JSON or as a signed JWT."""
    scheme, token = _presented(request)
    access = op.tokens.read_access(token, request.now)
    if access is None or op.rules.issuer not in access.audiences or access.line_id is None:
        raise _refusal(scheme)
    jkt = proven_with(token, request, op) if scheme == DPOP else None
    if access.jkt != jkt:  # neither a bound token without its key, nor the other way round
        raise _refusal(DPOP)
    seen = Presented(resource=op.rules.issuer, proven_jkt=jkt)
    if op.tokens.judge(access, seen, (), request.now) is not None:
        raise _refusal(scheme)
    if "openid" not in access.scopes:
        challenge = f'{scheme}, error="insufficient_scope", scope="openid"'
        raise InsufficientScope(
            "the scope openid is needed", headers=(("WWW-Authenticate", challenge),)
        )
    line = op.grants.line(access.line_id)
    if line is None:
        raise _refusal(scheme)
    claims = user_claims(op, line, access.scopes)
    client = op.clients.find(access.client_id)
    if client is None or client.userinfo_alg is None:
        return with_nonce(Answer(body=claims), request, op)
    signed = {**claims, "iss": op.rules.issuer, "aud": client.client_id}
    signer = op.keys.signer(client.userinfo_alg, request.now)
    body = jose.sign(signer, signed, typ="JWT")
    return with_nonce(Answer(body=body, content_type="application/jwt"), request, op)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "userinfo_endpoint": f"{op.rules.issuer}/userinfo",
        "userinfo_signing_alg_values_supported": list(jose.OUR_ALGORITHMS),
        "claims_supported": list(CLAIMS_SUPPORTED),
        "claims_parameter_supported": True,
    }


def _presented(request: OAuthRequest) -> tuple[str, str]:
    """The challenge of the scheme that was used, and the token: from the header or the form, and
    from one of them only (RFC 6750 section 2, RFC 9449 section 7.1).
    """
    given = request.headers.get("authorization", ())
    bodily = request.body.all("access_token") if request.method == "POST" else ()
    if len(given) + len(bodily) > 1:
        raise InvalidRequest("the access token is there more than once")
    if bodily:
        return BEARER, bodily[0]
    scheme, _, token = (given[0] if given else "").partition(" ")
    challenge = {"bearer": BEARER, "dpop": DPOP}.get(scheme.lower())
    if challenge is None or not token.strip():
        both = (("WWW-Authenticate", BEARER), ("WWW-Authenticate", DPOP))
        raise InvalidToken("", headers=both)
    return challenge, token.strip()


def _refusal(challenge: str) -> InvalidToken:
    return InvalidToken(
        "the access token is not good, or no longer",
        headers=(("WWW-Authenticate", f'{challenge}, error="invalid_token"'),),
    )
