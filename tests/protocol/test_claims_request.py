"""The claims parameter: what is told, where, and only with the value that was asked for."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.store import db
from tests.support.spec import spec
from tests.support.world import World, hidden, make_world, returned

ALICE: dict[str, Any] = {
    "name": "Alice",
    "email": "alice@example.com",
    "email_verified": True,
    "birthdate": "1990-10-31",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("claims"))
    made.person("alice", **ALICE)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def told(house: World, asked: dict[str, Any], scope: str = "openid") -> tuple[Any, Any]:
    """What the ID token says of Alice, and what userinfo does."""
    given = house.browser().tokens(house.rp(), claims=json.dumps(asked), scope=scope)
    keys = KeySet.import_key_set(house.http().get("/jwks.json").json)
    said = jwt.decode(given["id_token"], keys, algorithms=["RS256"]).claims
    kept = {name: said[name] for name in ALICE if name in said}
    userinfo = house.userinfo(given["access_token"]).json
    return kept, {name: userinfo[name] for name in ALICE if name in userinfo}


@spec("OpenID Connect Core section 5.5")
@pytest.mark.parametrize("wish", [None, {"essential": True}, {"essential": False}, {"else": 1}])
def test_a_claim_is_told_where_it_was_asked_for(house: World, wish: Any) -> None:
    assert told(house, {"id_token": {"name": wish}}) == ({"name": "Alice"}, {})
    assert told(house, {"userinfo": {"name": wish}}) == ({}, {"name": "Alice"})


@spec("OpenID Connect Core section 5.5.1")
@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({"value": "Alice"}, True),
        ({"value": "Bob"}, False),
        ({"essential": True, "value": "Bob"}, False),
        ({"values": ["Bob", "Alice"]}, True),
        ({"values": ["Bob", "Carol"]}, False),
        ({"values": [1, None, {}]}, False),
    ],
)
def test_a_claim_is_told_with_a_value_that_was_asked_for_or_not_at_all(
    house: World, wish: dict[str, Any], fits: bool
) -> None:
    kept, userinfo = told(house, {"id_token": {"name": wish}, "userinfo": {"name": wish}})

    assert ("name" in kept, "name" in userinfo) == (fits, fits)


@spec("OpenID Connect Core section 5.5.1")
def test_a_value_is_of_its_own_type(house: World) -> None:
    def verified(value: object) -> bool:
        asked = {"id_token": {"email_verified": {"value": value}}}
        return "email_verified" in told(house, asked)[0]

    assert verified(True)
    assert not verified(1)
    assert not verified("true")


@spec("OpenID Connect Core section 5.4", "OpenID Connect Core section 5.5")
def test_a_scope_gives_what_the_parameter_would_not(house: World) -> None:
    asked = {"userinfo": {"email": {"value": "bob@example.com"}, "birthdate": None}}

    assert told(house, asked, "openid email")[1] == {
        "email": "alice@example.com",
        "email_verified": True,
        "birthdate": "1990-10-31",
    }


@spec("OpenID Connect Core section 5.5.1.1", "STP-02")
@pytest.mark.parametrize("wish", [{"value": "phr"}, {"values": ["phr", "phrh"]}])
def test_a_sign_in_that_must_be_stronger_and_is_not_is_an_error(
    house: World, wish: dict[str, Any]
) -> None:
    asked = json.dumps({"id_token": {"acr": {"essential": True} | wish}})
    browser = house.browser()

    answer = browser.follow(browser.authorize(house.rp(), claims=asked))

    assert returned(answer)["error"] == "unmet_authentication_requirements"


@spec("OpenID Connect Core section 5.5.1.1")
@pytest.mark.parametrize("wish", [{"value": "phr"}, {"essential": True}, None])
def test_a_sign_in_that_might_be_stronger_is_taken_as_it_is(house: World, wish: Any) -> None:
    given = house.browser().tokens(house.rp(), claims=json.dumps({"id_token": {"acr": wish}}))

    assert given["id_token"]


@spec("OpenID Connect Core section 5.5.1")
def test_two_who_are_asked_for_at_once_are_nobody(house: World) -> None:
    asked = {"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}

    answer = house.browser().authorize(house.rp(), claims=json.dumps(asked))

    assert returned(answer)["error"] == "invalid_request"


@spec("OID-08", "EDG-08")
@pytest.mark.parametrize("locales", ["se", "de fr-CA", "x" * 2000, "#", "de#"])
def test_languages_nobody_has_claims_in_do_no_harm(house: World, locales: str) -> None:
    asked = json.dumps({"userinfo": {"name#de": None, "name": None}})

    assert house.browser().tokens(house.rp(), claims_locales=locales, claims=asked)


@spec("OpenID Connect Core section 3.1.2.1", "OID-06")
@pytest.mark.parametrize(
    ("hint", "typed"),
    [
        ("alice", "alice"),
        ("alice@example.com", "alice@example.com"),
        ("mailto:alice@example.com", "alice@example.com"),
        ("acct:alice@op.test", "alice"),
        ("ACCT:alice@elsewhere.test", "alice@elsewhere.test"),
        ("tel:+4930123456", "+4930123456"),
        ("urn:alice", "urn:alice"),
    ],
)
def test_a_login_hint_is_what_a_person_would_type(house: World, hint: str, typed: str) -> None:
    browser = house.browser()

    page = browser.http.get(browser.authorize(house.rp(), login_hint=hint).headers["Location"])

    assert f'name="username" value="{typed}"' in page.text
    assert hidden(page.text, "/sign-in")


@spec("OID-05", "RFC 8725 section 3.11")
def test_what_is_no_id_token_is_no_hint(house: World) -> None:
    browser, rp = house.browser(), house.rp()
    given = browser.tokens(rp)

    answer = browser.authorize(rp, id_token_hint=given["access_token"], prompt="none")

    assert returned(answer)["error"] == "invalid_request"
