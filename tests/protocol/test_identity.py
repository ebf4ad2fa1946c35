"""What an ID token and userinfo say of a person, and what of nobody else."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.crypto import jose
from idp.store import db
from tests.protocol.test_token import claims, header
from tests.support.spec import spec
from tests.support.world import API, World, make_world

HASHES = {
    "RS256": hashlib.sha256,
    "PS256": hashlib.sha256,
    "ES256": hashlib.sha256,
    "EdDSA": hashlib.sha512,
    "Ed25519": hashlib.sha512,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider with Alice, Bob, and an API."""
    made = make_world(Path(tmp_path_factory.mktemp("identity")))
    made.person("alice", name="Alice", email="alice@example.com", phone_number="+4912345")
    made.person("bob")
    made.api(API, **{"notes:read": "Read your notes"})
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("OID-01", "OpenID Connect Core section 3.1.3.6", "RFC 8725 section 3.1")
@pytest.mark.parametrize("alg", jose.OUR_ALGORITHMS)
def test_an_id_token_is_whole_in_every_algorithm_we_advertise(house: World, alg: str) -> None:
    nonce = "n-\"0S6_WzA2Mj'é"
    rp = house.rp(id_token_signed_response_alg=alg)
    began = int(house.clock.now.timestamp())

    given = house.browser().tokens(rp, nonce=nonce, max_age="600", acr_values="pwd")

    said = claims(given["id_token"])
    half = HASHES[alg](given["access_token"].encode()).digest()
    half = half[: len(half) // 2]
    advertised = house.http().get("/.well-known/openid-configuration").json
    assert alg in advertised["id_token_signing_alg_values_supported"]
    assert header(given["id_token"])["alg"] == alg
    assert said["iss"] == "https://op.test"
    assert said["aud"] == rp.client_id
    assert said["nonce"] == nonce
    assert said["auth_time"] == said["iat"] == began
    assert said["exp"] == began + 600
    assert (said["acr"], said["amr"]) == ("pwd", ["pwd"])
    assert said["sid"]
    assert said["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@spec("OID-07", "OpenID Connect Core section 5.3")
def test_userinfo_tells_the_same_person_by_get_and_by_post(house: World) -> None:
    given = house.browser().tokens(house.rp(), scope="openid email")
    token = given["access_token"]

    got = house.userinfo(token)
    posted = house.http().post("/userinfo", data={"access_token": token})

    sub = claims(given["id_token"])["sub"]
    assert got.json == posted.json
    assert got.json == {"sub": sub, "email": "alice@example.com"}


@spec("OID-07", "OpenID Connect Core section 5.4")
@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ("openid", {"sub"}),
        ("openid phone", {"sub", "phone_number"}),
        ("openid profile", {"sub", "name", "preferred_username", "updated_at"}),
        ("openid address", {"sub"}),
    ],
)
def test_userinfo_tells_what_was_allowed_and_no_more(
    house: World, scope: str, told: set[str]
) -> None:
    given = house.browser().tokens(house.rp(), scope=scope)

    assert set(house.userinfo(given["access_token"]).json) == told


@spec("OID-07", "RSG-05", "RFC 6750 section 3.1")
def test_userinfo_is_for_tokens_that_are_meant_for_it(house: World) -> None:
    rp, robot, browser = house.rp(), house.machine(), house.browser()
    code = browser.code(rp, scope="openid notes:read", resource=API)
    only_api = rp.redeem(code, browser.verifier, resource=API).json
    without_openid = house.browser().tokens(rp, scope="notes:read")
    own = house.machine(grant_types=["client_credentials"], response_types=[]).post(
        "/token", grant_type="client_credentials"
    )

    refused = [
        house.userinfo(only_api["access_token"]),
        house.userinfo(without_openid["access_token"]),
        house.userinfo(own.json["access_token"]),
        house.userinfo(only_api["id_token"]),
        house.userinfo(only_api["refresh_token"]),
        house.userinfo(robot.secret or ""),
    ]

    assert [answer.status_code for answer in refused] == [401] * 6
    assert all('error="invalid_token"' in a.headers["WWW-Authenticate"] for a in refused)


@spec("OID-07", "OpenID Connect Core section 5.3.2")
def test_userinfo_as_a_jwt_says_who_it_is_from_and_for(house: World) -> None:
    rp = house.rp(userinfo_signed_response_alg="ES256")
    given = house.browser().tokens(rp, scope="openid email")

    answer = house.userinfo(given["access_token"])

    said = claims(answer.text)
    assert answer.content_type == "application/jwt"
    assert header(answer.text)["alg"] == "ES256"
    assert (said["iss"], said["aud"]) == ("https://op.test", rp.client_id)
    assert said["sub"] == claims(given["id_token"])["sub"]


@spec("OID-07", "RSG-04")
def test_userinfo_as_a_jwt_is_no_access_token(house: World) -> None:
    rp = house.rp(userinfo_signed_response_alg="ES256")
    told = house.userinfo(house.browser().tokens(rp)["access_token"]).text

    assert house.userinfo(told).status_code == 401
    assert rp.introspect(told) == {"active": False}


@spec("OID-09", "OpenID Connect Core section 2")
def test_a_sub_is_one_persons_for_ever(house: World, tmp_path: Path) -> None:
    other = make_world(tmp_path)
    subs = [other.person("alice"), other.person("alice2"), other.person("u_alice")]
    with house.app.app_context():
        here = house.op.accounts.find_by_username("alice")
        assert here is not None
        subs.append(here.id)

    assert len(set(subs)) == 4
    assert all(sub.startswith("u_") and len(sub) >= 24 for sub in subs)
    assert not any("alice" in sub.lower() for sub in subs)


@spec("OID-09", "RSG-09", "DCR-05")
def test_no_client_is_ever_called_like_a_person(house: World) -> None:
    names = [house.rp().client_id for _ in range(5)]

    assert all(name.startswith("c_") for name in names)
