"""The modules of FAPI-CIBA in which the provider must say no, and those of pings (B.11)."""

from typing import Any

import pytest

from tests.conformance import checks
from tests.conformance.asking import NOTIFIED, Asking, holding
from tests.conformance.conftest import Calls
from tests.conformance.listener import Listener
from tests.conformance.marks import module
from tests.support.spec import spec

CIBA = "fapi-ciba-id1"
RO = f"{CIBA}-ensure-request-object"
HOUR = 3600


def refused(caller: Asking, **changed: Any) -> None:
    """A signed request with this change gets 400 invalid_request."""
    now = int(caller.world.clock.now.timestamp())
    moved = {n: now + v if n in ("exp", "nbf", "iat") and v else v for n, v in changed.items()}
    answer = caller.requests(caller.signed(caller.claims(**moved)))
    checks.error(answer, "invalid_request")


@module(f"{RO}-missing-aud-fails")
def test_missing_aud_fails(caller: Asking) -> None:
    refused(caller, aud=None)


@module(f"{RO}-bad-aud-fails")
def test_bad_aud_fails(caller: Asking) -> None:
    refused(caller, aud="https://other.test")


@module(f"{RO}-missing-iss-fails")
def test_missing_iss_fails(caller: Asking) -> None:
    refused(caller, iss=None)


@module(f"{RO}-bad-iss-fails")
def test_bad_iss_fails(caller: Asking) -> None:
    refused(caller, iss="https://other.test")


@module(f"{RO}-missing-exp-fails")
def test_missing_exp_fails(caller: Asking) -> None:
    refused(caller, exp=None)


@module(f"{RO}-expired-exp-fails")
def test_expired_exp_fails(caller: Asking) -> None:
    refused(caller, exp=-300, nbf=-600, iat=-600)


@module(f"{RO}-exp-is-70-minutes-in-future-fails")
def test_exp_is_70_minutes_in_future_fails(caller: Asking) -> None:
    refused(caller, exp=70 * 60)


@module(f"{RO}-missing-iat-fails")
def test_missing_iat_fails(caller: Asking) -> None:
    refused(caller, iat=None)


@module(f"{RO}-missing-nbf-fails")
def test_missing_nbf_fails(caller: Asking) -> None:
    refused(caller, nbf=None)


@module(f"{RO}-nbf-is-10-minutes-in-future-fails")
def test_nbf_is_10_minutes_in_future_fails(caller: Asking) -> None:
    refused(caller, nbf=10 * 60, exp=20 * 60)


@module(f"{RO}-nbf-is-70-minutes-in-past-fails")
def test_nbf_is_70_minutes_in_past_fails(caller: Asking) -> None:
    refused(caller, nbf=-70 * 60, exp=-11 * 60 + HOUR)


@module(f"{RO}-missing-jti-fails")
def test_missing_jti_fails(caller: Asking) -> None:
    refused(caller, jti=None)


@module(f"{RO}-signature-algorithm-is-none-fails")
def test_signature_algorithm_is_none_fails(caller: Asking) -> None:
    unsigned = checks.unsigned(caller.signed(caller.claims()))

    checks.error(caller.requests(unsigned), "invalid_request")


@module(f"{RO}-signature-algorithm-is-bad-fails")
def test_signature_is_bad_fails(caller: Asking) -> None:
    head, body, signature = caller.signed(caller.claims()).split(".")
    flipped = "A" if signature[9] != "A" else "B"
    spoiled = f"{head}.{body}.{signature[:9]}{flipped}{signature[10:]}"

    checks.error(caller.requests(spoiled), "invalid_request")


@module(f"{RO}-signature-algorithm-is-RS256-fails")
def test_signature_algorithm_is_rs256_fails(caller: Asking) -> None:
    weak = caller.signed(caller.claims(), alg="RS256")

    checks.error(caller.requests(weak), "invalid_request")


@module(f"{RO}-signed-by-other-client-fails")
def test_signed_by_other_client_fails(caller: Asking) -> None:
    theirs = caller.signed(caller.claims(), by=holding("client2"))

    checks.error(caller.requests(theirs), "invalid_request")


@module(f"{CIBA}-ensure-unsigned-backchannel-authorization-request-fails")
@spec("FAPI-CIBA section 5.2.2")
def test_unsigned_backchannel_authorization_request_fails(caller: Asking) -> None:
    plain = {n: v for n, v in caller.claims().items() if n in ("scope", "login_hint")}

    answer = caller.calls("backchannel_authentication_endpoint", **plain)

    checks.error(answer, "invalid_request")


@module(f"{CIBA}-ensure-different-client-id-and-issuer-in-backchannel-authorization-request")
def test_different_client_id_and_issuer(calls: Calls) -> None:
    first, second = calls(1), calls(2)

    answer = first.requests(client_id=second.client["client_id"])

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-ensure-wrong-client-id-in-backchannel-authorization-request")
def test_wrong_client_id_in_backchannel_authorization_request(calls: Calls) -> None:
    first, second = calls(1), calls(2)
    theirs = second.signed(second.claims())

    answer = first.requests(theirs, client_id=second.client["client_id"])

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-ensure-wrong-client-id-in-token-endpoint-request")
def test_wrong_client_id_in_token_endpoint_request(calls: Calls) -> None:
    first, second = calls(1), calls(2)
    first.asks()
    first.is_answered()

    answer = first.polls(client_id=second.client["client_id"])

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-ensure-without-client-assertion-in-backchannel-authorization-request")
def test_without_client_assertion_in_backchannel_authorization_request(caller: Asking) -> None:
    none = {"client_assertion": None, "client_assertion_type": None}

    answer = caller.requests(client_id=caller.client["client_id"], **none)

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-ensure-without-client-assertion-in-token-endpoint-request")
def test_without_client_assertion_in_token_endpoint_request(caller: Asking) -> None:
    caller.asks()
    none = {"client_assertion": None, "client_assertion_type": None}

    answer = caller.polls(client_id=caller.client["client_id"], **none)

    checks.error(answer, "invalid_client", status=(401,))


RS256_AT = "ensure-client-assertion-signature-algorithm-in"


@module(f"{CIBA}-{RS256_AT}-backchannel-authorization-request-is-RS256-fails")
def test_rs256_assertion_at_the_backchannel_endpoint_fails(caller: Asking) -> None:
    answer = caller.requests(client_assertion=caller.assertion(caller.issuer, alg="RS256"))

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-{RS256_AT}-token-endpoint-request-is-RS256-fails")
def test_rs256_assertion_at_the_token_endpoint_fails(caller: Asking) -> None:
    caller.asks()

    answer = caller.polls(client_assertion=caller.assertion(caller.issuer, alg="RS256"))

    checks.error(answer, "invalid_client", status=(401,))


@module(f"{CIBA}-ensure-client-assertion-with-iss-aud-to-token-endpoint-succeeds")
@spec("CIBA Core section 7.1")
def test_assertion_with_iss_aud_to_token_endpoint_succeeds(caller: Asking) -> None:
    caller.asks()

    answer = caller.polls(client_assertion=caller.assertion(caller.issuer))

    checks.error(answer, "authorization_pending")


def is_told_once(caller: Asking, suite: Listener) -> None:
    """One ping, whatever it was answered; and the tokens are there all the same."""
    caller.asks()
    caller.is_answered()
    caller.world.clock.advance(seconds=60)

    caller.delivers()

    assert len(suite.told) == 1
    assert caller.tokens()


@module(f"{CIBA}-ping-backchannel-notification-endpoint-response-has-body")
def test_a_ping_answered_with_a_body(caller: Asking, suite: Listener) -> None:
    suite.answers[NOTIFIED] = 200

    is_told_once(caller, suite)


@module(f"{CIBA}-ping-backchannel-notification-endpoint-response-401")
@spec("CIBA Core section 10.2")
def test_a_ping_answered_with_401(caller: Asking, suite: Listener) -> None:
    suite.answers[NOTIFIED] = 401

    is_told_once(caller, suite)


@module(f"{CIBA}-ping-backchannel-notification-endpoint-response-403")
def test_a_ping_answered_with_403(caller: Asking, suite: Listener) -> None:
    suite.answers[NOTIFIED] = 403

    is_told_once(caller, suite)


NO_RETRY = "ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server"


@module(f"{CIBA}-{NO_RETRY}-does-not-retry")
def test_a_ping_that_was_refused_is_not_sent_again(caller: Asking, suite: Listener) -> None:
    suite.answers[NOTIFIED] = 401

    is_told_once(caller, suite)


@module(f"{CIBA}-ping-backchannel-notification-endpoint-return-redirect-request")
@spec("CIBA Core section 10.2", "SSR-03")
def test_a_ping_does_not_follow_a_redirect(caller: Asking, suite: Listener) -> None:
    suite.answers[NOTIFIED] = 301

    is_told_once(caller, suite)


@module(f"{CIBA}-auth-req-id-expired")
@pytest.mark.parametrize("action", ["allow", "deny"])
def test_nobody_can_answer_what_is_over(caller: Asking, action: str) -> None:
    caller.asks(requested_expiry=10)
    caller.world.clock.advance(seconds=11)
    path = f"/test/ciba-sim?auth_req_id={caller.asked['auth_req_id']}&action={action}"

    answer = caller.world.http().post(path)

    assert answer.status_code == 404
    checks.error(caller.polls(), "expired_token")
