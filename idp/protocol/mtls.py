"""What discovery says about client certificates (RFC 8705 sections 3.3 and 5)."""

from collections.abc import Mapping

from idp.domain import Provider

ALIASED = (
    "token_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
)


def metadata(op: Provider) -> Mapping[str, object]:
    """That tokens can be bound to certificates, where there can be any."""
    return {"tls_client_certificate_bound_access_tokens": True} if op.rules.mtls else {}


def aliases(document: Mapping[str, object], op: Provider) -> Mapping[str, object]:
    """Where clients are asked for their certificate, if not at the issuer itself."""
    if not op.rules.mtls_origin:
        return {}
    found = {name: at_alias(str(document[name]), op) for name in ALIASED if name in document}
    return {"mtls_endpoint_aliases": found}


def at_alias(url: str, op: Provider) -> str:
    """The same endpoint, where clients are asked for their certificate."""
    return op.rules.mtls_origin + url.removeprefix(op.rules.issuer)
