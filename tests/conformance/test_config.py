"""The config plan: what every module fetches first (conformance B.0.1, B.2, C.1)."""

import re
from urllib.parse import urlsplit

import pytest

from tests.conformance import checks
from tests.conformance.checks import Json
from tests.conformance.marks import module
from tests.support.spec import spec
from tests.support.world import World

STRINGS = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
    "check_session_iframe",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "backchannel_authentication_endpoint",
    "status_list_aggregation_endpoint",
    "global_token_revocation_endpoint",
]
LISTS = [
    "authorization_signing_alg_values_supported",
    "global_token_revocation_endpoint_auth_methods_supported",
    "scopes_supported",
    "response_types_supported",
    "response_modes_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "introspection_signing_alg_values_supported",
    "request_object_encryption_enc_values_supported",
    "request_object_encryption_alg_values_supported",
    "userinfo_encryption_enc_values_supported",
    "userinfo_encryption_alg_values_supported",
    "id_token_encryption_enc_values_supported",
    "id_token_encryption_alg_values_supported",
    "authorization_encryption_enc_values_supported",
    "authorization_encryption_alg_values_supported",
    "introspection_encryption_enc_values_supported",
    "introspection_encryption_alg_values_supported",
    "code_challenge_methods_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "userinfo_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "authorization_signing_alg_values_supported",
    "global_token_revocation_endpoint_auth_methods_supported",
    "display_values_supported",
    "claim_types_supported",
    "claims_supported",
    "ui_locales_supported",
    "claims_locales_supported",
    "acr_values_supported",
    "prompt_values_supported",
    "dpop_signing_alg_values_supported",
    "authorization_details_types_supported",
    "protected_resources",
    "backchannel_token_delivery_modes_supported",
    "backchannel_authentication_request_signing_alg_values_supported",
]
BOOLEANS = [
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "authorization_response_iss_parameter_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "tls_client_certificate_bound_access_tokens",
    "backchannel_user_code_parameter_supported",
]


@pytest.fixture(scope="module")
def document(op: World) -> Json:
    return checks.discovery(op.http().get("/.well-known/openid-configuration"))


@module("oidcc-discovery-endpoint-verification")
@spec("R-DISC-1")
def test_discovery_endpoint_verification(document: Json) -> None:
    assert document["issuer"] == "https://op.test"
    assert {"public"} <= set(document["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "RS256" in document["userinfo_signing_alg_values_supported"]
    assert {"openid", "profile", "email", "address", "phone"} <= set(document["scopes_supported"])
    assert "code" in document["response_types_supported"]
    assert {"authorization_code", "refresh_token"} <= set(document["grant_types_supported"])
    assert document["claims_supported"]
    assert document["acr_values_supported"]


@module("oidcc-discovery-endpoint-verification")
def test_discovery_has_registered_members_of_the_right_types(document: Json) -> None:
    for name, value in document.items():
        if name in STRINGS:
            assert isinstance(value, str), name
        elif name in LISTS:
            assert isinstance(value, list), name
            assert value, name
            assert all(isinstance(item, str) for item in value), name
        elif name == "mtls_endpoint_aliases":
            assert set(value) <= {n for n in document if n.endswith("_endpoint")}
        else:
            assert name in BOOLEANS, name
            assert isinstance(value, bool), name


@module("oidcc-discovery-endpoint-verification")
def test_every_address_in_discovery_is_https_and_has_no_fragment(document: Json) -> None:
    addresses = {n: v for n, v in document.items() if n.endswith(("_endpoint", "_uri", "issuer"))}

    assert len(addresses) >= 9
    for name, value in addresses.items():
        parts = urlsplit(value)
        assert (parts.scheme, parts.netloc) == ("https", "op.test"), name
        assert not parts.fragment, name


@module("oidcc-discovery-endpoint-verification")
def test_languages_and_challenges_are_written_as_registered(document: Json) -> None:
    for tag in document["ui_locales_supported"]:
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag)
    assert set(document["code_challenge_methods_supported"]) <= {"S256", "plain"}


@module("oidcc-rp-initiated-logout-discovery-endpoint-verification")
def test_rp_initiated_logout_discovery_endpoint_verification(document: Json) -> None:
    assert document["end_session_endpoint"] == "https://op.test/end_session"


@module("oidcc-backchannel-logout-discovery-endpoint-verification")
def test_backchannel_logout_discovery_endpoint_verification(document: Json) -> None:
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True


@spec("R-DISC-1")
def test_both_well_known_addresses_say_the_same(op: World, document: Json) -> None:
    other = op.http().get("/.well-known/oauth-authorization-server")

    assert other.status_code == 200
    assert other.json == document


@spec("R-JWKS-1", "R-JWKS-2", "R-JWKS-3")
def test_the_key_set_names_every_key_and_shows_no_secret(op: World, document: Json) -> None:
    keys = checks.jwks(op.http().get(urlsplit(document["jwks_uri"]).path))

    assert {key.key_type for key in keys.keys} <= {"RSA", "EC", "OKP"}
