"""What the transmitter says of itself (OpenID SSF 1.0 section 7)."""

from idp.domain import Provider
from idp.protocol.messages import Answer, OAuthRequest

PUSH_METHOD = "urn:ietf:rfc:8935"
POLL_METHOD = "urn:ietf:rfc:8936"
MAX_AGE = (("Cache-Control", "public, max-age=300"),)


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """The configuration of the transmitter (OpenID SSF 1.0 section 7.1)."""
    issuer = op.rules.issuer
    body = {
        "spec_version": "1_0",
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwks.json",
        "delivery_methods_supported": [PUSH_METHOD, POLL_METHOD],
        "configuration_endpoint": f"{issuer}/ssf/streams",
        "status_endpoint": f"{issuer}/ssf/status",
        "add_subject_endpoint": f"{issuer}/ssf/subjects/add",
        "remove_subject_endpoint": f"{issuer}/ssf/subjects/remove",
        "verification_endpoint": f"{issuer}/ssf/verify",
        "critical_subject_members": ["user", "session"],
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": op.rules.default_subjects,
    }
    return Answer(body=body, headers=MAX_AGE, cacheable=True)
