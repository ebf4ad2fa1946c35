"""FAPI 2.0 Security Profile: the flow itself, and what a request may carry (B.9.1)."""

import json
import secrets
from uuid import UUID

import pytest

from tests.conformance.checks import SCOPES, STANDARD
from tests.conformance.fapi_party import DUMMIES, Fapi
from tests.conformance.marks import module
from tests.support.spec import spec

PREFIX = "fapi2-security-profile-final-"
NUMBER = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@module(f"{PREFIX}happy-flow")
@spec("FAPI 2.0 Security Profile section 5.3.2", "RFC 9126 section 2", "RFC 8705 section 3")
def test_happy_flow(one: Fapi, two: Fapi) -> None:
    for client in (one, two):
        given = client.obtains()

        assert client.works(given["access_token"])
    token = given["access_token"]
    for accept in ("application/json; charset=utf-8", "text/html, application/json;q=0.9, */*"):
        headers = {"Accept": accept, "x-fapi-customer-ip-address": "2001:db8::1"}
        headers |= {"x-fapi-auth-date": "Sun, 10 Sep 2017 19:43:31 UTC"}
        assert two.visits(token, more=headers).status_code == 200
    in_the_address = two.visits("none", query=f"access_token={token}")
    assert in_the_address.status_code in (400, 401, 414)
    stolen = one.visits(token)
    assert (stolen.status_code, stolen.json["error"]) == (401, "invalid_token")


@module(f"{PREFIX}happy-flow", plan="fapi2-security")
@spec("RFC 9449 section 10")
def test_happy_flow_with_the_key_named_in_the_request(two: Fapi) -> None:
    """Client 2 says its key in `dpop_jkt`, and has no proof beside the request."""
    given = two.obtains(dpop_jkt=two.prover.jkt if two.dpop else None)

    assert two.sent["redirect_uri"].endswith(DUMMIES)
    assert len(two.sent["state"]) == 128
    assert two.works(given["access_token"])


@module(f"{PREFIX}happy-flow")
@spec("conformance F2-6")
def test_a_call_is_known_by_the_number_it_came_with(one: Fapi) -> None:
    token = one.obtains()["access_token"]

    assert (
        one.visits(token, more={"x-fapi-interaction-id": NUMBER}).headers["x-fapi-interaction-id"]
        == NUMBER
    )
    for odd in ("", "7", f"{NUMBER}, {NUMBER}", f"<{NUMBER}>"):
        answer = one.visits(token, more={"x-fapi-interaction-id": odd})
        assert "x-fapi-interaction-id" not in answer.headers


@module(f"{PREFIX}user-rejects-authentication")
def test_user_rejects_authentication(one: Fapi, two: Fapi) -> None:
    for client in (one, two):
        name = client.pushed()

        said = client.comes_back(client.follows(client.opens(name), "consent-deny"))

        assert said["error"] == "access_denied"


@module(f"{PREFIX}ensure-authorization-request-without-state-success")
def test_ensure_authorization_request_without_state_success(one: Fapi) -> None:
    said = one.authorizes(state=None)

    assert "state" not in said
    assert one.redeems(said["code"]).status_code == 200


@module(f"{PREFIX}ensure-authorization-request-without-nonce-success")
def test_ensure_authorization_request_without_nonce_success(one: Fapi) -> None:
    _, said = one.signs_in(nonce=None)

    assert "nonce" not in said


@module(f"{PREFIX}ensure-authorization-request-with-64-char-nonce-success")
@module(f"{PREFIX}ensure-authorization-request-with-long-nonce")
@pytest.mark.parametrize("length", [64, 384])
def test_ensure_authorization_request_with_long_nonce(one: Fapi, length: int) -> None:
    nonce = secrets.token_hex(length // 2)

    _, said = one.signs_in(nonce=nonce)

    assert said["nonce"] == nonce


@module(f"{PREFIX}ensure-authorization-request-with-long-state")
def test_ensure_authorization_request_with_long_state(one: Fapi) -> None:
    assert one.authorizes(state=secrets.token_hex(500))["code"]


@module(f"{PREFIX}ensure-other-scope-order-succeeds")
def test_ensure_other_scope_order_succeeds(one: Fapi) -> None:
    given, said = one.signs_in(scope=" ".join(reversed(one.scope.split())))

    assert said["sub"]
    assert one.works(given["access_token"])


@module(f"{PREFIX}test-claims-parameter-identity-claims")
def test_claims_parameter_identity_claims(one: Fapi) -> None:
    """Every claim that discovery names, and one that nobody knows."""
    assert one.document["claims_parameter_supported"] is True
    named = sorted(STANDARD & set(one.document["claims_supported"]))
    wanted = dict.fromkeys([*named, "location"])
    asked = {"id_token": wanted, "userinfo": wanted}

    said, told = _told(one, asked)

    assert set(SCOPES["profile"]) < set(named)
    for name in named:
        assert name in told
        assert said[name] == told[name]
    assert "location" not in said
    assert "location" not in told


def _told(one: Fapi, asked: object) -> tuple[dict[str, object], dict[str, object]]:
    given = one.obtains(claims=json.dumps(asked))
    token = given["access_token"]
    headers = {"Authorization": f"{given['token_type']} {token}"}
    url = one.url("userinfo_endpoint")
    if one.dpop:
        headers["DPoP"] = one.proof_at_api(token, url=url)
    else:
        headers |= one.pair.header
    answer = one.world.http().get(one.at("userinfo_endpoint"), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/json"
    assert UUID(answer.headers["x-fapi-interaction-id"])
    said = one.claims_of(given["id_token"])
    assert answer.json["sub"] == said["sub"]
    return said, answer.json


@module(f"{PREFIX}access-token-type-header-case-sensitivity")
def test_access_token_type_header_case_sensitivity(one: Fapi) -> None:
    token = one.obtains()["access_token"]
    scheme = "dpOp" if one.dpop else "bEARER"

    assert one.visits(token, scheme=scheme).status_code == 200


@module(f"{PREFIX}ensure-different-nonce-inside-and-outside-request-object")
def test_ensure_different_nonce_inside_and_outside(one: Fapi) -> None:
    name = one.pushed()

    back = one.comes_back(one.follows(one.opens(name, nonce="another")))

    given = one.token_response(one.redeems(back["code"]))
    assert one.identity(given["id_token"])["nonce"] == one.sent["nonce"]


@module(f"{PREFIX}ensure-different-state-inside-and-outside-request-object")
def test_ensure_different_state_inside_and_outside(one: Fapi) -> None:
    name = one.pushed()

    assert one.comes_back(one.follows(one.opens(name, state="another")))["code"]


@module(f"{PREFIX}state-only-outside-request-object-not-used")
def test_state_only_outside_request_object_not_used(one: Fapi) -> None:
    name = one.pushed(state=None)

    said = one.comes_back(one.follows(one.opens(name, state="outside")))

    assert "state" not in said


@module(f"{PREFIX}par-without-duplicate-parameters")
def test_par_without_duplicate_parameters(one: Fapi) -> None:
    name = one.pushed()
    query = {"client_id": one.client["client_id"], "request_uri": name}

    page = one.browser.http.get(one.at("authorization_endpoint"), query_string=query)

    assert one.comes_back(one.follows(page))["code"]
