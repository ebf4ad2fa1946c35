"""The userinfo endpoint (OpenID Connect Core section 5.3)."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

from idp.crypto import jose
from idp.crypto.interaction import HEADER as INTERACTION_ID
from idp.crypto.interaction import echoed
from idp.domain import Provider
from idp.protocol import bearer
from idp.protocol.claims import CLAIMS_SUPPORTED, user_claims
from idp.protocol.dpop import with_nonce
from idp.protocol.messages import Answer, OAuthRequest


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """The claims of the person behind an access token, as JSON or as a signed JWT."""
    return _with_interaction(_claims(request, op), request)


def _claims(request: OAuthRequest, op: Provider) -> Answer:
    access = bearer.accepted(request, op, "openid")
    line = op.grants.line(access.line_id or "")
    if line is None:
        raise bearer.refusal()
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


def _with_interaction(answer: Answer, request: OAuthRequest) -> Answer:
    """The number the call came with, or one of its own (FAPI-CIBA section 6.2.1)."""
    number = echoed(request.header(INTERACTION_ID)) or str(uuid4())
    return replace(answer, headers=(*answer.headers, (INTERACTION_ID, number)))
