"""Discovery and JWKS (RFC 8414 section 3; OpenID Connect Discovery section 4), merged from what
each feature says of itself: nothing is advertised that has no code.
"""

from collections.abc import Mapping
from datetime import datetime

from idp.crypto.jose import OUR_ALGORITHMS
from idp.domain import Provider
from idp.domain.login import ACR_VALUES
from idp.domain.metadata.sectors import SUBJECT_TYPES
from idp.protocol import (
    arrivals,
    ciba,
    device,
    dpop,
    encryption,
    frontchannel_logout,
    global_revocation,
    introspection,
    logout,
    mtls,
    par,
    registration,
    revocation,
    session_management,
    status_lists,
    token,
    userinfo,
)
from idp.protocol.authorize import jarm, objects, respond
from idp.protocol.claims import OPENID_SCOPES
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.own_scopes import OWN_SCOPES

MAX_AGE = (("Cache-Control", "public, max-age=300"),)
LANGUAGES = ("en", "de")
FEATURES = (
    arrivals,
    respond,
    par,
    objects,
    jarm,
    token,
    dpop,
    mtls,
    userinfo,
    encryption,
    introspection,
    revocation,
    status_lists,
    registration,
    logout,
    frontchannel_logout,
    session_management,
    global_revocation,
    device,
    ciba,
)


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """One document for both well-known addresses."""
    return Answer(body=document(op, request.now), headers=MAX_AGE, cacheable=True)


def keys(request: OAuthRequest, op: Provider) -> Answer:
    """The JWK Set of the provider (RFC 7517)."""
    return Answer(body=op.keys.public_jwks(request.now), headers=MAX_AGE, cacheable=True)


def document(op: Provider, now: datetime) -> Mapping[str, object]:
    """What this provider can do, in the registered words only."""
    issuer = op.rules.issuer
    scopes, types = op.resources.advertised(now)
    said: dict[str, object] = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "scopes_supported": [*OPENID_SCOPES, *OWN_SCOPES, *scopes],
        "subject_types_supported": list(SUBJECT_TYPES),
        "id_token_signing_alg_values_supported": list(OUR_ALGORITHMS),
        "acr_values_supported": list(ACR_VALUES),
        "claim_types_supported": ["normal"],
        "ui_locales_supported": list(LANGUAGES),
        **({"authorization_details_types_supported": list(types)} if types else {}),
        **{name: said for feature in FEATURES for name, said in feature.metadata(op).items()},
    }
    return {**said, **mtls.aliases(said, op)}
