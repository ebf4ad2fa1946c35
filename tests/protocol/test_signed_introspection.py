"""Signed introspection responses (RFC 9701): the same words, in a form one can keep."""

from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet
from werkzeug.test import TestResponse

from idp.store import db
from tests.protocol.test_token import claims, header
from tests.support.spec import spec
from tests.support.world import API, Rp, World

SIGNED = "application/token-introspection+jwt"


@pytest.fixture
def api(world: World, alice: str) -> Rp:
    return world.api(API, **{"notes:read": "Read"})


def asks(caller: Rp, token: str, accept: str = SIGNED) -> TestResponse:
    return caller.world.http().post(
        "/introspect", data={"token": token}, headers={"Accept": accept}, **caller.auth()
    )


def read(world: World, answer: TestResponse, alg: str = "RS256") -> dict[str, Any]:
    keys = KeySet.import_key_set(world.http().get("/jwks.json").json)
    return dict(jwt.decode(answer.text, keys, algorithms=[alg]).claims)


@spec("RFC 9701 section 5", "INT-05")
def test_who_accepts_it_is_given_a_signed_answer(world: World, api: Rp, rp: Rp, alice: str) -> None:
    token = world.browser().tokens(rp, scope="openid notes:read", resource=API)["access_token"]

    answer = asks(api, token)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == SIGNED
    assert "no-store" in answer.headers["Cache-Control"]
    assert header(answer.text)["typ"] == "token-introspection+jwt"
    said = read(world, answer)
    assert set(said) == {"iss", "aud", "iat", "token_introspection"}
    assert (said["iss"], said["aud"]) == ("https://op.test", api.client_id)
    assert said["iat"] == int(world.clock.now.timestamp())
    assert said["token_introspection"] == asks(api, token, "application/json").json
    assert said["token_introspection"]["sub"] == alice


@spec("RFC 9701 section 5", "INT-02", "INT-03")
def test_what_is_not_good_is_said_to_be_inactive_and_no_more(world: World, api: Rp, rp: Rp) -> None:
    other = world.api("https://other.test")
    token = world.browser().tokens(rp, scope="openid notes:read", resource=API)["access_token"]

    answers = [asks(other, token), asks(api, "nothing"), asks(api, token + "x")]

    said = [read(world, answer)["token_introspection"] for answer in answers]
    assert said == [{"active": False}] * 3


@spec("RFC 9701 section 6", "RFC 9701 section 7")
@pytest.mark.parametrize("alg", ["ES256", "PS256", "Ed25519"])
def test_it_is_signed_as_the_api_has_registered(world: World, api: Rp, alg: str) -> None:
    with world.app.app_context():
        world.op.clients.decide(api.client_id, introspection_signed_response_alg=alg)
        db.session.commit()
    offered = world.http().get("/.well-known/openid-configuration").json

    answer = asks(api, "nothing")

    assert header(answer.text)["alg"] == alg
    assert alg in offered["introspection_signing_alg_values_supported"]


@spec("RFC 9701 section 4")
@pytest.mark.parametrize(
    ("accept", "signed"),
    [
        (f"application/json;q=0.5, {SIGNED.upper()}", True),
        (f"{SIGNED};q=0.1", True),
        (f"{SIGNED};q=0", False),
        (f"{SIGNED};q=0.000", False),
        ("*/*", False),
        ("application/jwt", False),
        ("", False),
    ],
)
def test_only_who_names_it_is_given_it(api: Rp, accept: str, signed: bool) -> None:
    answer = asks(api, "nothing", accept)

    assert (answer.mimetype == SIGNED) is signed


@spec("RFC 9701 section 4", "INT-01")
def test_a_refusal_stays_a_refusal(world: World, api: Rp) -> None:
    stranger = Rp(world, api.client_id, "wrong")

    answer = asks(stranger, "nothing")

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@spec("RFC 9701 section 8.1", "RSG-04", "JWA-04")
def test_nobody_takes_it_for_a_token(world: World, api: Rp, rp: Rp) -> None:
    token = world.browser().tokens(rp, scope="openid notes:read")["access_token"]
    answer = asks(rp, token).text

    assert "exp" not in claims(answer)
    assert world.userinfo(answer).status_code == 401
    assert api.introspect(answer) == {"active": False}


@spec("RFC 7591 section 2", "RFC 9701 section 6")
def test_an_algorithm_we_do_not_have_is_refused(world: World) -> None:
    wish = {"redirect_uris": ["https://rp.test/callback"], "client_name": "Notes"}

    answers = [
        world.http().post("/register", json=wish | {"introspection_signed_response_alg": alg})
        for alg in ("ES256", "none", "HS256")
    ]

    assert [answer.status_code for answer in answers] == [201, 400, 400]


@spec("RFC 9701 section 5", "RFC 9701 section 6")
def test_it_is_encrypted_for_an_api_that_wants_that(world: World, api: Rp) -> None:
    key = ECKey.generate_key("P-256")
    wish = {"introspection_encrypted_response_alg": "ECDH-ES"}
    wish |= {"introspection_encrypted_response_enc": "A256GCM"}
    public = {**key.as_dict(private=False), "use": "enc"}
    with world.app.app_context():
        world.op.clients.decide(api.client_id, jwks={"keys": [public]}, **wish)
        db.session.commit()

    answer = asks(api, "nothing")

    assert answer.headers["Content-Type"] == SIGNED
    opened = jwe.decrypt_compact(answer.text, key, algorithms=["ECDH-ES", "A256GCM"])
    keys = KeySet.import_key_set(world.http().get("/jwks.json").json)
    said = jwt.decode((opened.plaintext or b"").decode(), keys, algorithms=["RS256"]).claims
    assert said["token_introspection"] == {"active": False}
    assert asks(api, "nothing", "application/json").json == {"active": False}
