"""FAPI 2.0 Security Profile: what discovery says (C.3)."""

from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
FAPI = {"PS256", "ES256", "EdDSA", "Ed25519"}


@module(f"{PREFIX}discovery-end-point-verification")
@spec("RFC 8414 section 3", "RFC 8705 section 3.3", "RFC 9449 section 5.1")
def test_discovery_end_point_verification(one: Fapi) -> None:
    oauth = one.world.http().get("/.well-known/oauth-authorization-server").json
    said = one.document

    assert oauth == said
    assert said["issuer"] == one.issuer
    assert "code" in said["response_types_supported"]
    assert said["authorization_response_iss_parameter_supported"] is True
    assert "authorization_code" in said["grant_types_supported"]
    assert "S256" in said["code_challenge_methods_supported"]
    assert isinstance(said["require_pushed_authorization_requests"], bool)
    for name in ("pushed_authorization_request", "token", "authorization", "registration"):
        assert said[f"{name}_endpoint"].startswith("https://")
    assert set(said["dpop_signing_alg_values_supported"]) & FAPI
    assert set(said["id_token_signing_alg_values_supported"]) & FAPI
    assert set(said["userinfo_signing_alg_values_supported"]) & FAPI
    assert set(said["token_endpoint_auth_signing_alg_values_supported"]) & FAPI
    methods = set(said["token_endpoint_auth_methods_supported"])
    assert {"private_key_jwt", "self_signed_tls_client_auth"} <= methods
    if one.signs:
        assert set(said["request_object_signing_alg_values_supported"]) & FAPI
    if one.jarm:
        assert "jwt" in said["response_modes_supported"]
        assert set(said["authorization_signing_alg_values_supported"]) & FAPI
    assert {"openid", "notes:read"} <= set(said["scopes_supported"])
    assert said["subject_types_supported"]
    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert set(said["mtls_endpoint_aliases"]) <= set(said)
