"""The modules of FAPI-CIBA: discovery, the whole way, and what a person answers (B.11)."""

import uuid

import pytest

from tests.conformance import checks
from tests.conformance.asking import Asking
from tests.conformance.conftest import Calls
from tests.conformance.marks import module
from tests.support.spec import spec

CIBA = "fapi-ciba-id1"
REFRESHING = {"grant_types": ["urn:openid:params:grant-type:ciba", "refresh_token"]}
AWKWARD = "1234567890 \u4f60\u597d \U0001f310 and more than anybody compares on two screens"


@module(f"{CIBA}-discovery-end-point-verification")
@spec("CIBA Core section 4", "conformance C.4")
def test_discovery_end_point_verification(caller: Asking) -> None:
    said = caller.document

    assert said["tls_client_certificate_bound_access_tokens"] is True
    assert {"PS256", "ES256"} <= set(said["id_token_signing_alg_values_supported"])
    assert "private_key_jwt" in said["token_endpoint_auth_methods_supported"]
    assert {"PS256", "ES256"} <= set(said["token_endpoint_auth_signing_alg_values_supported"])
    assert said["backchannel_authentication_endpoint"].startswith("https://")
    assert set(said["backchannel_authentication_request_signing_alg_values_supported"]) == {
        "PS256",
        "ES256",
    }
    assert said["backchannel_user_code_parameter_supported"] is False
    assert "urn:openid:params:grant-type:ciba" in said["grant_types_supported"]
    assert set(said["backchannel_token_delivery_modes_supported"]) == {"poll", "ping"}


@module(CIBA)
@spec("CIBA Core section 7", "CIBA Core section 10.1", "conformance B.11.0")
def test_both_clients_end_to_end(calls: Calls) -> None:
    first, second = calls(1), calls(2)
    for caller in (first, second):
        given, said = caller.signs_in()
        answer = caller.resource(given["access_token"])
        assert answer.status_code == 200
        assert uuid.UUID(answer.headers["x-fapi-interaction-id"])
        assert said["acr"] == "pwd"
        checks.error(caller.polls(), "invalid_grant")
    assert second.asked["expires_in"] == 300

    token = given["access_token"]
    echo = str(uuid.uuid4())
    mine = second.resource(token, **{"x-fapi-interaction-id": echo, "Accept": "*/*"})
    stolen = first.resource(token)
    in_query = first.world.http().get(f"/resource?access_token={token}")

    assert mine.headers["x-fapi-interaction-id"] == echo
    assert 400 <= stolen.status_code < 500
    assert in_query.status_code in (400, 401)


@module(CIBA)
@spec("CIBA Core section 7.1")
@pytest.mark.parametrize("named", ["issuer", "token_endpoint", "backchannel", "alias"])
def test_an_assertion_may_name_the_issuer_or_either_endpoint(calls: Calls, named: str) -> None:
    caller = calls(1)
    aliases = caller.document["mtls_endpoint_aliases"]
    audience = {
        "issuer": caller.issuer,
        "token_endpoint": caller.document["token_endpoint"],
        "backchannel": caller.document["backchannel_authentication_endpoint"],
        "alias": aliases["token_endpoint"],
    }[named]

    answer = caller.requests(**caller.proof(audience))

    assert answer.status_code == 200


@module(f"{CIBA}-user-rejects-authentication")
@spec("CIBA Core section 11")
def test_user_rejects_authentication(caller: Asking) -> None:
    caller.asks()
    caller.waits()

    caller.is_answered("deny")

    checks.error(caller.polls(), "access_denied")


@module(f"{CIBA}-multiple-call-to-token-endpoint")
@spec("CIBA Core section 11")
def test_multiple_call_to_token_endpoint(caller: Asking) -> None:
    caller.asks()

    heard = [checks.error(caller.polls(), "authorization_pending", "slow_down") for _ in range(20)]

    assert heard == ["authorization_pending"] + ["slow_down"] * 19


@module(f"{CIBA}-auth-req-id-expired")
@spec("CIBA Core section 11", "CIBA Core section 7.1")
def test_auth_req_id_expired(caller: Asking) -> None:
    asked = caller.asks(requested_expiry=10)
    caller.waits()

    caller.world.clock.advance(seconds=1)

    assert asked["expires_in"] == 10
    checks.error(caller.polls(), "expired_token")


@module(f"{CIBA}-ensure-authorization-request-with-binding-message-succeeds")
@spec("CIBA Core section 7.1", "RFC 10027")
def test_binding_message_is_shown_to_the_person(caller: Asking) -> None:
    caller.asks(binding_message="1234")
    browser = caller.world.browser()
    browser.sign_in("foo")

    page = browser.http.get("/account/requests")

    assert '<p class="binding-message">1234</p>' in page.text


@module(f"{CIBA}-ensure-other-scope-order-succeeds")
def test_other_scope_order_succeeds(caller: Asking) -> None:
    caller.asks(scope="email openid")
    caller.is_answered()

    given, _ = caller.tokens()

    assert set(given["scope"].split()) == {"openid", "email"}


@module(f"{CIBA}-ensure-requested-expiry-as-string-succeeds")
@spec("CIBA Core section 7.1.1")
def test_requested_expiry_as_string_succeeds(caller: Asking) -> None:
    asked = caller.asks(requested_expiry="30")
    caller.is_answered()

    assert asked["expires_in"] == 30
    assert caller.tokens()


@module(f"{CIBA}-ensure-authorization-request-with-potentially-bad-binding-message")
@spec("CIBA Core section 13")
def test_potentially_bad_binding_message(caller: Asking) -> None:
    answer = caller.requests(caller.signed(caller.claims(binding_message=AWKWARD)))

    checks.error(answer, "invalid_binding_message")


@module(f"{CIBA}-ensure-authorization-request-with-multiple-hints-fails")
@spec("CIBA Core section 7.1")
def test_multiple_hints_fail(caller: Asking) -> None:
    answer = caller.requests(caller.signed(caller.claims(id_token_hint="also")))

    checks.error(answer, "invalid_request")


@module(f"{CIBA}-ensure-wrong-auth-req-id-in-token-endpoint-request")
@spec("CIBA Core section 11", "DEV-02")
def test_wrong_auth_req_id_in_token_endpoint_request(calls: Calls) -> None:
    first, second = calls(1), calls(2)
    first.asks()
    second.asks()
    first.is_answered()

    checks.error(second.polls(first.asked["auth_req_id"]), "invalid_grant")
    assert first.tokens()


@module(f"{CIBA}-refresh-token")
@spec("conformance B.1.1")
def test_refresh_token(calls: Calls) -> None:
    first, second = calls(1, **REFRESHING), calls(2, **REFRESHING)
    scope = "openid offline_access"
    for caller, more in ((first, {"scope": scope}), (second, {})):
        caller.asks(scope=scope)
        caller.is_answered()
        given, said = caller.tokens()
        caller.world.clock.advance(seconds=1)
        form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]} | more

        renewed = checks.token_response(caller.calls("token_endpoint", **form))

        again = caller.identity(renewed["id_token"])
        assert again["sub"] == said["sub"]
        assert again["iat"] > said["iat"]
        assert caller.resource(renewed["access_token"]).status_code == 200
    stolen = {"grant_type": "refresh_token", "refresh_token": renewed["refresh_token"]}
    checks.error(first.calls("token_endpoint", **stolen), "invalid_grant")


@module(f"{CIBA}-ensure-mtls-holder-of-key-required")
@spec("RFC 8705 section 3", "FAPI-CIBA section 5.2.2")
def test_mtls_holder_of_key_required(caller: Asking) -> None:
    caller.asks()
    caller.is_answered()
    form = {"auth_req_id": caller.asked["auth_req_id"]}
    grant = "urn:openid:params:grant-type:ciba"

    without = caller.calls("token_endpoint", certified=False, grant_type=grant, **form)
    given, _ = caller.tokens()

    checks.error(without, "invalid_request", "invalid_client", status=(400, 401))
    assert caller.resource(given["access_token"]).status_code == 200
    assert caller.resource(given["access_token"], certified=False).status_code == 401
