"""FAPI 2.0 Security Profile: client assertions, good ones and others (B.9.1)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
CODES = ("invalid_client", "invalid_request")


@module(f"{PREFIX}ensure-signed-client-assertion-with-RS256-fails")
@spec("JWA-03", "FAPI 2.0 Security Profile section 5.4")
@pytest.mark.parametrize("alg", ["RS256", "PS384", "PS512"])
def test_ensure_signed_client_assertion_with_rs256_fails(one: Fapi, alg: str) -> None:
    answer = one.wants(credentials=one.claims_to_be(alg=alg))

    one.refused(answer, "invalid_client", status=(400, 401))


@module(f"{PREFIX}ensure-client-assertion-in-token-endpoint")
@spec("CLA-03")
def test_ensure_client_assertion_in_token_endpoint(one: Fapi) -> None:
    answer = one.wants(credentials={"client_id": one.client["client_id"]})

    one.refused(answer, *CODES, status=(400, 401))


@module(f"{PREFIX}ensure-client-assertion-with-exp-is-5-minutes-in-past-fails")
@module(f"{PREFIX}ensure-client-assertion-with-wrong-aud-fails")
@module(f"{PREFIX}ensure-client-assertion-with-no-sub-fails")
@spec("JWA-01", "JWA-02")
@pytest.mark.parametrize("wrong", ["old", "aud", "sub"])
def test_ensure_client_assertion_with_a_wrong_claim_fails(one: Fapi, wrong: str) -> None:
    now = int(one.world.clock.now.timestamp())
    claims: dict[str, Any] = {
        "old": {"exp": now - 300, "iat": now - 360, "nbf": now - 360},
        "aud": {"aud": "https://other.test"},
        "sub": {"sub": None},
    }[wrong]

    answer = one.wants(credentials=one.claims_to_be(**claims))

    one.refused(answer, *CODES, status=(400, 401))


@module(f"{PREFIX}par-test-array-as-audience-fails")
@module(f"{PREFIX}par-test-par-endpoint-url-as-audience-fails")
@module(f"{PREFIX}par-test-token-endpoint-url-as-audience-fails")
@spec("JWA-01", "FAPI 2.0 Security Profile section 5.3.2.1")
@pytest.mark.parametrize(
    "audience",
    [
        lambda one: [one.issuer, "https://other.test"],
        lambda one: [one.issuer],
        lambda one: one.document["pushed_authorization_request_endpoint"],
        lambda one: one.url("pushed_authorization_request_endpoint"),
        lambda one: one.document["token_endpoint"],
        lambda one: one.url("token_endpoint"),
        lambda one: f"{one.issuer}/",
    ],
    ids=["two", "array", "par", "par alias", "token", "token alias", "slash"],
)
def test_par_test_other_audiences_fail(one: Fapi, audience: Callable[[Fapi], Any]) -> None:
    answer = one.pushes(credentials=one.claims_to_be(aud=audience(one)))

    one.refused(answer, *CODES, status=(400, 401))


@module(f"{PREFIX}par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted")
def test_par_ensure_nbf_8_seconds_in_the_future_is_accepted(one: Fapi) -> None:
    soon = int(one.world.clock.now.timestamp()) + 8

    answer = one.pushes(credentials=one.claims_to_be(iat=soon, nbf=soon))

    assert answer.status_code == 201


@module(f"{PREFIX}par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails")
@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_par_ensure_nbf_over_60_seconds_in_the_future_fails(one: Fapi, claim: str) -> None:
    late = int(one.world.clock.now.timestamp()) + 65
    claims = {claim: late, "exp": late + 60}

    answer = one.pushes(credentials=one.claims_to_be(**claims))

    one.refused(answer, *CODES, status=(400, 401))
