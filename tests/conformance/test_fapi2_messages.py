"""FAPI 2.0 Message Signing: what a client signs, and what it must not (B.10)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.checks import Json, unsigned
from tests.conformance.fapi_party import Fapi
from tests.conformance.marks import module
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
MINUTE = 60


def pushes(one: Fapi, make: Callable[[Fapi], str] | None = None, **claims: Any) -> Any:
    """Push a request object that says something else, or is made by another hand."""
    one.asks()
    token = make(one) if make is not None else one.request_object(**claims)
    form = {"request": token, "client_id": one.client["client_id"]}
    endpoint = "pushed_authorization_request_endpoint"
    return one.calls(endpoint, headers=one.headers(endpoint), **form)


def now(one: Fapi) -> int:
    return int(one.world.clock.now.timestamp())


@module(f"{PREFIX}ensure-request-object-with-multiple-aud-succeeds")
@spec("RFC 9101 section 4")
def test_ensure_request_object_with_multiple_aud_succeeds(one: Fapi) -> None:
    answer = pushes(one, aud=["https://other.test", one.issuer])

    assert answer.status_code == 201
    name = answer.json["request_uri"]
    assert one.comes_back(one.follows(one.opens(name)))["code"]


@module(f"{PREFIX}ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted")
def test_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(one: Fapi) -> None:
    assert pushes(one, nbf=now(one) + 8).status_code == 201


WRONG: dict[str, Callable[[int], Json]] = {
    "without exp": lambda now: {"exp": None},
    "without nbf": lambda now: {"nbf": None},
    "expired": lambda now: {"exp": now - 61, "nbf": now - 120},
    "bad aud": lambda now: {"aud": "https://other.test"},
    "exp over 60": lambda now: {"exp": now + 70 * MINUTE},
    "nbf over 60": lambda now: {"nbf": now - 70 * MINUTE},
    "another client": lambda now: {"client_id": "c_other"},
    "a request_uri in it": lambda now: {"request_uri": "urn:ietf:params:oauth:request_uri:a"},
}


@module(f"{PREFIX}ensure-request-object-without-exp-fails")
@module(f"{PREFIX}ensure-request-object-without-nbf-fails")
@module(f"{PREFIX}ensure-expired-request-object-fails")
@module(f"{PREFIX}ensure-request-object-with-bad-aud-fails")
@module(f"{PREFIX}ensure-request-object-with-exp-over-60-fails")
@module(f"{PREFIX}ensure-request-object-with-nbf-over-60-fails")
@module(f"{PREFIX}par-authorization-request-containing-request_uri")
@spec("FAPI 2.0 Message Signing section 5.3.1", "JAR-01", "JAR-03")
@pytest.mark.parametrize("wrong", WRONG)
def test_ensure_request_object_with_a_wrong_claim_fails(one: Fapi, wrong: str) -> None:
    answer = pushes(one, **WRONG[wrong](now(one)))

    one.refused(answer, "invalid_request_object")


def by_rs256(one: Fapi) -> str:
    return one.request_object(header={"alg": "RS256"})


def by_nobody(one: Fapi) -> str:
    return unsigned(one.request_object())


def broken(one: Fapi) -> str:
    token = one.request_object()
    return token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")


@module(f"{PREFIX}ensure-signed-request-object-with-RS256-fails")
@module(f"{PREFIX}ensure-request-object-signature-algorithm-is-not-none")
@module(f"{PREFIX}ensure-request-object-with-invalid-signature-fails")
@spec("JAR-02", "FAPI 2.0 Security Profile section 5.4")
@pytest.mark.parametrize("make", [by_rs256, by_nobody, broken])
def test_ensure_request_object_with_a_wrong_signature_fails(
    one: Fapi, make: Callable[[Fapi], str]
) -> None:
    one.refused(pushes(one, make), "invalid_request_object")


@module(f"{PREFIX}ensure-matching-key-in-authorization-request")
def test_ensure_matching_key_in_authorization_request(one: Fapi, two: Fapi) -> None:
    header = {"alg": two.alg, "kid": two.key.kid}

    answer = pushes(one, lambda one: one.request_object(two.key, header))

    one.refused(answer, "invalid_request_object", "invalid_request")


@module(f"{PREFIX}ensure-unsigned-request-at-par-endpoint-fails")
@spec("JAR-02", "FAPI 2.0 Message Signing section 5.3.1")
def test_ensure_unsigned_request_at_par_endpoint_fails(one: Fapi) -> None:
    endpoint = "pushed_authorization_request_endpoint"

    answer = one.calls(endpoint, headers=one.headers(endpoint), **one.asks())

    one.refused(answer, "invalid_request")
