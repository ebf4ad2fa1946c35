"""The userinfo endpoint (OpenID Connect Core section 5.3)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from idp.crypto import jose
from idp.crypto.interaction import HEADER as INTERACTION_ID
from idp.crypto.interaction import echoed
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol import bearer
from idp.protocol.claims import CLAIMS_SUPPORTED, user_claims
from idp.protocol.dpop import with_nonce
from idp.protocol.encryption import envelope
from idp.protocol.messages import Answer, OAuthRequest


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """The claims of the person behind an access token: as JSON, signed, encrypted, or both."""
    return _with_interaction(_claims(request, op), request)


def _claims(request: OAuthRequest, op: Provider) -> Answer:
    access = bearer.accepted(request, op, "openid")
    line, client = op.grants.line(access.line_id or ""), op.clients.find(access.client_id)
    if line is None or client is None:
        raise bearer.refusal()
    claims = user_claims(op, line, access.scopes)
    sealed = envelope(op, client, "userinfo", request.now)
    signs = client.userinfo_alg is not None
    if not signs and not sealed.closes:
        return with_nonce(Answer(body=claims), request, op)
    said = sealed.around(_said(claims, client, op, request.now), signed=signs)
    return with_nonce(Answer(body=said, content_type="application/jwt"), request, op)


def _said(claims: Mapping[str, object], client: ClientView, op: Provider, now: datetime) -> str:
    """The claims as a signed JWT, or as they are where only a key of the client's hides them
    (section 5.3.2).
    """
    if client.userinfo_alg is None:
        return json.dumps(claims, ensure_ascii=False)
    signed = {**claims, "iss": op.rules.issuer, "aud": client.client_id}
    return jose.sign(op.keys.signer(client.userinfo_alg, now), signed, typ="JWT")


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
