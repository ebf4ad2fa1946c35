"""FAPI 2.0 Security Profile: pushed requests (B.9.1)."""

import pytest

from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
BAD = ("invalid_request", "invalid_request_object")


@module(f"{PREFIX}ensure-request-object-without-redirect-uri-fails")
@module(f"{PREFIX}ensure-redirect-uri-in-authorization-request")
@spec("FAPI 2.0 Security Profile section 5.3.2.2")
def test_ensure_redirect_uri_in_authorization_request(one: Fapi) -> None:
    one.refused(one.pushes(redirect_uri=None), *BAD)


@module(f"{PREFIX}plain-fapi-tolerate-unregistered-redirect-uri")
def test_plain_fapi_tolerate_unregistered_redirect_uri(one: Fapi) -> None:
    one.refused(one.pushes(redirect_uri=f"{one.client['redirect_uris'][0]}/other"), *BAD)


@module(f"{PREFIX}ensure-unsigned-authorization-request-without-using-par-fails")
@spec("PAR-03", "RFC 9126 section 6")
def test_ensure_unsigned_authorization_request_without_using_par_fails(one: Fapi) -> None:
    page = one.browser.http.get(one.at("authorization_endpoint"), query_string=one.asks())

    one.errs(page, "invalid_request")


@module(f"{PREFIX}ensure-response-type-code-idtoken-fails")
@module(f"{PREFIX}ensure-response-type-token-fails")
@pytest.mark.parametrize("response_type", ["code id_token", "token"])
def test_ensure_response_type_fails(one: Fapi, response_type: str) -> None:
    codes = ("unsupported_response_type", "invalid_request", "unauthorized_client")

    one.refused(one.pushes(response_type=response_type), *codes)


@module(f"{PREFIX}par-ensure-pkce-required")
@spec("FAPI 2.0 Security Profile section 5.3.2.2")
def test_par_ensure_pkce_required(one: Fapi) -> None:
    answer = one.pushes(code_challenge=None, code_challenge_method=None)

    one.refused(answer, "invalid_request")


@module(f"{PREFIX}par-plain-pkce-rejected")
def test_par_plain_pkce_rejected(one: Fapi) -> None:
    one.refused(one.pushes(code_challenge_method="plain"), "invalid_request")
    one.refused(one.pushes(code_challenge_method=None), "invalid_request")


@module(f"{PREFIX}par-ensure-reused-request-uri-prior-to-auth-completion-succeeds")
def test_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(one: Fapi) -> None:
    name = one.pushed()
    first = one.shown(one.opens(name))

    second = one.follows(one.opens(name))

    assert first.status_code == 200
    assert one.comes_back(second)["code"]


@module(f"{PREFIX}par-attempt-reuse-request_uri")
@spec("PAR-02")
def test_par_attempt_reuse_request_uri(one: Fapi) -> None:
    name = one.pushed()
    one.comes_back(one.follows(one.opens(name)))

    one.errs(one.opens(name), "invalid_request_uri")


@module(f"{PREFIX}par-attempt-to-use-expired-request_uri")
def test_par_attempt_to_use_expired_request_uri(one: Fapi) -> None:
    answer = one.pushes()
    assert answer.json["expires_in"] <= 1800
    one.later(seconds=answer.json["expires_in"] + 1)

    one.errs(one.opens(answer.json["request_uri"]), "invalid_request_uri")


@module(f"{PREFIX}par-attempt-to-use-request_uri-for-different-client")
def test_par_attempt_to_use_request_uri_for_different_client(one: Fapi, two: Fapi) -> None:
    name = one.pushed()

    page = one.opens(name, client_id=two.client["client_id"])

    one.errs(page, "invalid_request", "invalid_request_object", "invalid_request_uri")


@module(f"{PREFIX}par-authorization-request-containing-request_uri-form-param")
@spec("PAR-01", "RFC 9126 section 2.1")
def test_par_authorization_request_containing_request_uri_form_param(one: Fapi) -> None:
    answer = one.pushes(beside={"request_uri": "urn:ietf:params:oauth:request_uri:a"})

    one.refused(answer, *BAD, "request_uri_not_supported")


@module(f"{PREFIX}par-attempt-invalid-http-method")
def test_par_attempt_invalid_http_method(one: Fapi) -> None:
    endpoint = one.at("pushed_authorization_request_endpoint")

    answer = one.world.http().put(endpoint, data=one.asks() | one.credentials())

    assert answer.status_code == 405


@module(f"{PREFIX}ensure-mismatched-dpop-jkt-fails")
@spec("DPO-11")
def test_ensure_mismatched_dpop_jkt_fails(one: Fapi, two: Fapi) -> None:
    proof = {"DPoP": one.proof("pushed_authorization_request_endpoint")}

    answer = one.pushes(proof, dpop_jkt=two.prover.jkt)

    one.refused(answer, "invalid_request", "invalid_dpop_proof")


@module(f"{PREFIX}ensure-dpopproof-at-par-endpoint-binding-success")
@module(f"{PREFIX}ensure-dpop-auth-code-binding-success")
@pytest.mark.parametrize("how", ["proof", "dpop_jkt", "both"])
def test_ensure_dpop_auth_code_binding_success(one: Fapi, how: str) -> None:
    proof = (
        {"DPoP": one.proof("pushed_authorization_request_endpoint")} if how != "dpop_jkt" else {}
    )
    name = one.pushed(proof, dpop_jkt=one.prover.jkt if how != "proof" else None)

    code = one.comes_back(one.follows(one.opens(name)))["code"]

    assert one.works(one.token_response(one.redeems(code))["access_token"])


@module(f"{PREFIX}ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt")
@module(f"{PREFIX}ensure-token-endpoint-fails-with-mismatched-dpop-jkt")
@pytest.mark.parametrize("how", ["proof", "dpop_jkt"])
def test_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    one: Fapi, two: Fapi, how: str
) -> None:
    proof = {"DPoP": one.proof("pushed_authorization_request_endpoint")} if how == "proof" else {}
    name = one.pushed(proof, dpop_jkt=one.prover.jkt if how == "dpop_jkt" else None)
    code = one.comes_back(one.follows(one.opens(name)))["code"]
    headers = one.headers("token_endpoint") | {"DPoP": two.proof()}

    answer = one.redeems(code, headers=headers)

    one.refused(answer, "invalid_grant", "invalid_request", "invalid_dpop_proof")
