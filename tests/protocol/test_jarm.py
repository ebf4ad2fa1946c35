"""Signed answers (JARM): one parameter, in which nobody can change a word."""

from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp.store import db
from tests.support.spec import spec
from tests.support.world import World, hidden, make_world

BOUND = {"redirect_uris": ["https://rp.test/callback?of=us"]}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("jarm"), IDP_LEGACY_RESPONSE_TYPES="true")
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def read(house: World, token: str, alg: str = "RS256") -> dict[str, Any]:
    """What a client reads in the answer, with the keys that are published."""
    keys = KeySet.import_key_set(house.http().get("/jwks.json").json)
    return dict(jwt.decode(token, keys, algorithms=[alg]).claims)


def carried(answer: TestResponse) -> tuple[str, dict[str, str]]:
    """The channel of an answer, and what is in it."""
    if answer.status_code == 200:
        fields = hidden(answer.text, "https://rp.test/callback")
        return "form_post", {name: unescape(value) for name, value in fields.items()}
    parts = urlsplit(answer.headers["Location"])
    channel, text = ("fragment", parts.fragment) if parts.fragment else ("query", parts.query)
    return channel, {name: values[0] for name, values in parse_qs(text).items()}


@spec("JARM section 2.1", "JARM section 2.3", "RED-21")
@pytest.mark.parametrize(
    ("mode", "channel"),
    [
        ("jwt", "query"),
        ("query.jwt", "query"),
        ("fragment.jwt", "fragment"),
        ("form_post.jwt", "form_post"),
    ],
)
def test_an_answer_is_signed_whole(house: World, mode: str, channel: str) -> None:
    rp, browser = house.rp(), house.browser()

    answer = browser.follow(browser.authorize(rp, response_mode=mode))

    way, said = carried(answer)
    assert (way, set(said)) == (channel, {"response"})
    inside = read(house, said["response"])
    now = house.clock.now.timestamp()
    assert set(inside) - {"session_state"} == {"iss", "aud", "exp", "code", "state"}
    assert (inside["iss"], inside["aud"]) == ("https://op.test", rp.client_id)
    assert inside["state"] == "st4te"
    assert now + 10 < inside["exp"] <= now + 600
    assert rp.redeem(inside["code"], browser.verifier).status_code == 200


@spec("JARM section 2.1", "RED-21")
@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"scope": "bad"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
    ],
)
def test_a_refusal_is_signed_too(house: World, more: dict[str, Any], error: str) -> None:
    answer = house.browser().authorize(house.rp(), response_mode="jwt", **more)

    _, said = carried(answer)
    assert set(said) == {"response"}
    inside = read(house, said["response"])
    assert (inside["error"], inside["state"]) == (error, "st4te")
    assert inside["iss"] == "https://op.test"


@spec("JARM section 2.3.1", "R-AZ-2")
def test_a_registered_query_is_kept_beside_it(house: World) -> None:
    rp, browser = house.rp(**BOUND), house.browser()

    _, said = carried(browser.follow(browser.authorize(rp, response_mode="query.jwt")))

    assert (set(said), said["of"]) == ({"of", "response"}, "us")


@spec("JARM section 3")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_it_is_signed_as_the_client_registered(house: World, alg: str) -> None:
    rp, browser = house.rp(authorization_signed_response_alg=alg), house.browser()

    _, said = carried(browser.follow(browser.authorize(rp, response_mode="jwt")))

    assert read(house, said["response"], alg)["aud"] == rp.client_id


@spec("JARM section 2.3", "RFC 9700 section 4.3")
@pytest.mark.parametrize(
    ("kind", "mode", "channel"),
    [
        ("id_token", "jwt", "fragment"),
        ("code id_token", "fragment.jwt", "fragment"),
        ("code token", "form_post.jwt", "form_post"),
    ],
)
def test_tokens_in_it_never_travel_in_a_query(
    house: World, kind: str, mode: str, channel: str
) -> None:
    grants = ["authorization_code"] if "code" in kind else []
    rp = house.rp(response_types=[kind], grant_types=[*grants, "implicit"])
    browser = house.browser()
    more = {"response_type": kind, "nonce": "n0nce"}

    answer = browser.follow(browser.authorize(rp, response_mode=mode, **more))
    refused = browser.authorize(rp, response_mode="query.jwt", **more)

    way, said = carried(answer)
    assert way == channel
    names = {"token": "access_token"}
    assert {names.get(word, word) for word in kind.split()} <= set(read(house, said["response"]))
    way, said = carried(refused)
    assert way == "fragment"
    assert read(house, said["response"])["error"] == "invalid_request"


@spec("RED-12", "JARM section 2.3.3")
def test_an_app_without_a_web_address_has_no_form(house: World) -> None:
    app = house.rp(
        redirect_uris=["com.example.app:/cb"],
        application_type="native",
        token_endpoint_auth_method="none",
    )

    answer = house.browser().authorize(app, response_mode="form_post.jwt")

    _, said = carried(answer)
    assert read(house, said["response"])["error"] == "invalid_request"


@spec("RSG-04", "OID-06", "JWA-04")
def test_an_answer_is_no_token_and_no_hint(house: World) -> None:
    rp, browser = house.rp(), house.browser()
    _, said = carried(browser.follow(browser.authorize(rp, response_mode="jwt")))

    hinted = browser.authorize(rp, id_token_hint=said["response"])

    assert house.userinfo(said["response"]).status_code == 401
    assert carried(hinted)[1]["error"] == "invalid_request"


@spec("JARM section 3", "DCR-09")
@pytest.mark.parametrize("alg", ["none", "HS256", "RS1"])
def test_an_answer_is_not_signed_with_anything_weak(house: World, alg: str) -> None:
    wish = {"redirect_uris": ["https://rp.test/cb"], "authorization_signed_response_alg": alg}

    answer = house.http().post("/register", json=wish)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@spec("JARM section 4")
def test_discovery_names_the_modes_and_the_algorithms(house: World) -> None:
    said = house.http().get("/.well-known/openid-configuration").json

    modes = {"jwt", "query.jwt", "fragment.jwt", "form_post.jwt"}
    assert modes <= set(said["response_modes_supported"])
    assert {"RS256", "PS256", "ES256"} <= set(said["authorization_signing_alg_values_supported"])
