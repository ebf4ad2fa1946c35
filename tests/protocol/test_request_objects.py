"""Request objects (RFC 9101): what is signed counts, and nothing beside it."""

from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from idp.store import db
from tests.support.signer import ASKED, CALLBACK, VERIFIER, Signer, signing
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world, returned

SIGNER = Signer()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("jar"))
    made.person()
    made.api(**{"notes:read": "Read your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def opens(house: World, rp: Rp, request: str, **more: str) -> TestResponse:
    """The browser brings a request object by value."""
    query = {"client_id": rp.client_id, "request": request} | more
    browser = house.browser()
    return browser.follow(browser.http.get("/authorize", query_string=query))


def pushes(house: World, rp: Rp, request: str, **more: str) -> TestResponse:
    return house.http().post("/par", data={"request": request} | more, **rp.auth())


@spec("JAR-01", "RFC 9101 section 5.1", "OpenID Connect Core section 6.1")
def test_a_signed_request_is_answered(house: World) -> None:
    rp = signing(house, SIGNER)

    answer = returned(opens(house, rp, SIGNER.request(house, rp.client_id)))

    assert set(answer) == {"code", "state", "session_state", "iss"}
    assert answer["state"] == "inside"
    assert rp.redeem(answer["code"], VERIFIER).status_code == 200


@spec("JAR-03", "PKC-09", "RFC 9101 section 6.3")
def test_nothing_counts_that_stands_beside_it(house: World) -> None:
    rp = signing(house, SIGNER)
    outside = {"state": "outside", "scope": "openid email", "prompt": "none", "nonce": "other"}
    request = SIGNER.request(house, rp.client_id, state=None)

    answer = returned(opens(house, rp, request, redirect_uri="https://evil.test", **outside))

    assert "state" not in answer
    assert rp.redeem(answer["code"], VERIFIER).json["scope"] == "openid"


@spec("JAR-03", "PKC-09", "RFC 9101 section 6.3")
@pytest.mark.parametrize(
    ("left_out", "status"), [("redirect_uri", 400), ("response_type", 303), ("scope", 303)]
)
def test_what_is_missing_inside_is_not_found_outside(
    house: World, left_out: str, status: int
) -> None:
    rp = signing(house, SIGNER, token_endpoint_auth_method="none")
    request = SIGNER.request(house, rp.client_id, **{left_out: None, "code_challenge": None})

    answer = opens(house, rp, request, **ASKED)

    assert answer.status_code == status
    if status == 303:
        assert returned(answer)["error"] == "invalid_request"


@spec("JAR-01", "RFC 9101 section 4")
def test_numbers_json_and_lists_are_the_parameters_they_stand_for(house: World) -> None:
    rp = signing(house, SIGNER)
    request = SIGNER.request(
        house,
        rp.client_id,
        max_age=3600,
        claims={"userinfo": {"name": {"essential": True}}},
        resource=["https://api.test"],
        scope="openid notes:read",
    )

    answer = returned(opens(house, rp, request))

    given = rp.redeem(answer["code"], VERIFIER, resource="https://api.test").json
    assert given["scope"] == "notes:read"


@spec("JAR-01", "JAR-03", "JWA-04", "RFC 9101 section 6.2", "RFC 9101 section 10.8")
@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "another"},
        {"client_id": None},
        {"iss": "another"},
        {"iss": None},
        {"aud": "https://other.test"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"request": "a.b.c"},
        {"request_uri": "https://rp.test/object"},
        {"header": {"typ": "JWE"}},
        {"header": {"typ": "dpop+jwt"}},
        {"header": {"typ": "at+jwt"}},
        {"header": {"typ": "client-authentication+jwt"}},
        {"header": {"typ": 1}},
        {"header": {"crit": ["exp"]}},
        {"header": {"alg": "none"}},
        {"header": {"alg": "HS256"}},
    ],
)
@pytest.mark.parametrize("where", ["browser", "par"])
def test_an_object_that_is_not_as_it_must_be_is_refused(
    house: World, more: dict[str, Any], where: str
) -> None:
    rp = signing(house, SIGNER)
    request = SIGNER.request(house, rp.client_id, **more)

    if where == "par":
        answer = pushes(house, rp, request)
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")
    else:
        answer = opens(house, rp, request)
        assert answer.status_code == 400
        assert "Location" not in answer.headers
        assert "invalid_request_object" in answer.text


@spec("RFC 9101 section 7", "RED-14")
def test_why_an_object_is_refused_goes_back_to_where_the_address_says(house: World) -> None:
    rp = signing(house, SIGNER)
    request = Signer().request(house, rp.client_id)

    answer = opens(house, rp, request, redirect_uri=CALLBACK, state="outside")
    astray = opens(house, rp, request, redirect_uri="https://evil.test", state="outside")

    assert returned(answer)["error"] == "invalid_request_object"
    assert returned(answer)["state"] == "outside"
    assert (astray.status_code, "Location" in astray.headers) == (400, False)


@spec("JAR-01", "RFC 9101 section 5", "RED-15")
@pytest.mark.parametrize(
    "query",
    [
        "client_id={c}&request={r}&request_uri=https://rp.test/object",
        "client_id={c}&request={r}&request={r}",
        "client_id={c}&client_id={c}&request={r}",
        "client_id=nobody&request={r}",
        "request={r}",
        "client_id={c}&request=x",
    ],
)
def test_one_object_and_one_client_or_a_page_of_ours(house: World, query: str) -> None:
    rp = signing(house, SIGNER)
    request = SIGNER.request(house, rp.client_id)

    answer = house.http().get("/authorize?" + query.format(c=rp.client_id, r=request))

    assert answer.status_code == 400
    assert "Location" not in answer.headers


@spec("JAR-01", "RFC 9101 section 6.2")
def test_who_did_not_sign_it_cannot_send_it(house: World) -> None:
    rp, other = signing(house, SIGNER), signing(house, Signer(), client_name="Other")
    mine = SIGNER.request(house, rp.client_id)
    forged = Signer().request(house, rp.client_id)

    answers = [opens(house, other, mine), opens(house, rp, forged), pushes(house, rp, forged)]

    assert [answer.status_code for answer in answers] == [400, 400, 400]


@spec("JAR-02", "RFC 9101 section 10.5")
def test_an_algorithm_other_than_the_registered_one_is_refused(house: World) -> None:
    key = RSAKey.generate_key(2048)
    good, other = Signer("PS256", key), Signer("RS256", key)
    rp = signing(house, good, request_object_signing_alg="PS256")

    answers = [pushes(house, rp, each.request(house, rp.client_id)) for each in (good, other)]

    assert [answer.status_code for answer in answers] == [201, 400]


@spec("JAR-02", "RFC 9101 section 10.5")
def test_a_client_that_always_signs_is_believed_nothing_else(house: World) -> None:
    rp = signing(house, SIGNER, require_signed_request_object=True)
    browser = house.browser()

    plain = returned(browser.authorize(rp))
    pushed = house.http().post("/par", data=ASKED, **rp.auth())
    signed = opens(house, rp, SIGNER.request(house, rp.client_id))

    assert plain["error"] == "invalid_request"
    assert (pushed.status_code, pushed.json["error"]) == (400, "invalid_request")
    assert "code" in returned(signed)


@spec("JAR-02", "JAR-03", "RFC 9126 section 3")
def test_a_signed_request_is_pushed(house: World) -> None:
    rp = signing(house, SIGNER, require_signed_request_object=True)
    name = pushes(house, rp, SIGNER.request(house, rp.client_id), state="outside").json
    browser = house.browser()

    query = {"client_id": rp.client_id, "request_uri": name["request_uri"]}
    answer = returned(browser.follow(browser.http.get("/authorize", query_string=query)))

    assert answer["state"] == "inside"


@spec("PAR-05", "JAR-03", "RED-01")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"redirect_uri": "https://evil.test"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"scope": "bad"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"claims": [1]}, "invalid_request"),
        ({"max_age": 1.5}, "invalid_request"),
        ({"scope": {"a": "b"}}, "invalid_scope"),
        ({"state": "s" * 5000}, "invalid_request"),
    ],
)
def test_what_is_signed_is_examined_like_anything_else(
    house: World, more: dict[str, Any], error: str
) -> None:
    rp = signing(house, SIGNER)

    answer = pushes(house, rp, SIGNER.request(house, rp.client_id, **more))

    assert (answer.status_code, answer.json["error"]) == (400, error)


@spec("JAR-01", "JWA-04", "RFC 9101 section 10.8")
def test_a_request_is_no_assertion_and_an_assertion_no_request(house: World) -> None:
    rp = signing(house, SIGNER, token_endpoint_auth_method="private_key_jwt")
    request = SIGNER.request(house, rp.client_id, sub=rp.client_id, jti="once")
    untyped = SIGNER.request(house, rp.client_id, {"typ": "JWT"}, sub=rp.client_id, jti="twice")
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    as_assertion = house.http().post(
        "/par", data=ASKED | {"client_assertion": request, "client_assertion_type": kind}
    )

    assert as_assertion.status_code == 401
    assert opens(house, rp, request).status_code == 400
    assert opens(house, rp, untyped).status_code == 400


@spec("JAR-04", "DCR-01", "RFC 7591 section 2")
@pytest.mark.parametrize(
    "metadata",
    [
        {"request_uris": ["http://rp.test/object"]},
        {"request_uris": ["https://user@rp.test/object"]},
        {"request_uris": ["javascript:alert(1)"]},
        {"request_uris": "https://rp.test/object"},
        {"request_object_signing_alg": "none", "jwks": SIGNER.jwks},
        {"request_object_signing_alg": "ES256"},
        {"require_signed_request_object": True},
        {"require_signed_request_object": "yes", "jwks": SIGNER.jwks},
    ],
)
def test_what_makes_no_sense_is_not_registered(house: World, metadata: dict[str, Any]) -> None:
    answer = house.http().post("/register", json={"redirect_uris": [CALLBACK]} | metadata)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@spec("JAR-02", "RFC 9101 section 10.5", "RFC 9101 section 9.2")
def test_discovery_says_which_requests_are_understood(house: World) -> None:
    said = house.http().get("/.well-known/openid-configuration").json

    assert said["request_parameter_supported"] is True
    assert said["request_uri_parameter_supported"] is True
    assert said["require_request_uri_registration"] is True
    assert "none" not in said["request_object_signing_alg_values_supported"]
    assert "HS256" not in said["request_object_signing_alg_values_supported"]
