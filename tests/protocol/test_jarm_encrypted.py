"""Answers that nobody on the way can read (JARM section 2.2)."""

from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp.crypto.jwe import CONTENT_ALGORITHMS, KEY_ALGORITHMS
from idp.store import db
from tests.conformance.listener import Listener, listener
from tests.protocol.test_jarm import carried, read
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
OKP = OKPKey.generate_key("X25519")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    with listener(tmp_path_factory.mktemp("suite")) as made:
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, suite: Listener) -> Iterator[World]:
    made = make_world(
        tmp_path_factory.mktemp("jarm"),
        IDP_OUTBOUND__ALLOWED=suite.place,
        IDP_OUTBOUND__CA_BUNDLE=str(suite.bundle),
    )
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def public(key: Key, **more: Any) -> dict[str, Any]:
    return key.as_dict(private=False) | {"kid": "enc", "use": "enc"} | more


KEYLESS = [[], [public(RSA)], [public(EC, use="sig")]]


def client(house: World, key: Key, alg: str, **more: Any) -> Rp:
    """A client that cannot have its answers read by anybody else."""
    jwks = {"keys": [public(ECKey.generate_key("P-256"), use="sig", kid="sig"), public(key)]}
    wanted = {"jwks": jwks, "authorization_encrypted_response_alg": alg}
    return house.rp(**(wanted | more))


def opened(house: World, token: str, key: Key) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header outside, and the claims inside."""
    registry = jwe.JWERegistry(algorithms=[*KEY_ALGORITHMS, *CONTENT_ALGORITHMS])
    outside = jwe.decrypt_compact(token, key, registry=registry)
    return dict(outside.headers()), read(house, (outside.plaintext or b"").decode())


@spec("JARM section 2.2", "JARM section 3")
@pytest.mark.parametrize(
    ("key", "alg", "enc"),
    [
        (RSA, "RSA-OAEP-256", None),
        (RSA, "RSA-OAEP-256", "A256GCM"),
        (EC, "ECDH-ES", "A128GCM"),
        (EC, "ECDH-ES+A256KW", "A256CBC-HS512"),
        (OKP, "ECDH-ES", None),
    ],
    ids=["rsa", "rsa-gcm", "p-256", "p-256-kw", "x25519"],
)
def test_an_answer_is_signed_and_then_encrypted(
    house: World, key: Key, alg: str, enc: str | None
) -> None:
    more = {"authorization_encrypted_response_enc": enc} if enc else {}
    rp, browser = client(house, key, alg, **more), house.browser()

    _, said = carried(browser.follow(browser.authorize(rp, response_mode="jwt")))

    outside, inside = opened(house, said["response"], key)
    assert (outside["alg"], outside["enc"]) == (alg, enc or "A128CBC-HS256")
    assert (outside["kid"], outside["cty"]) == ("enc", "JWT")
    assert rp.redeem(inside["code"], browser.verifier).status_code == 200


@spec("JARM section 2.2")
def test_a_refusal_is_encrypted_too(house: World) -> None:
    rp = client(house, EC, "ECDH-ES")

    _, said = carried(house.browser().authorize(rp, response_mode="jwt", scope="bad"))

    assert opened(house, said["response"], EC)[1]["error"] == "invalid_scope"


@spec("JARM section 2.2")
@pytest.mark.parametrize("keys", KEYLESS, ids=["none", "rsa", "sig"])
def test_nothing_is_given_that_could_not_be_encrypted(house: World, keys: list[Any]) -> None:
    rp, browser = client(house, EC, "ECDH-ES", jwks={"keys": keys}), house.browser()

    _, said = carried(browser.follow(browser.authorize(rp, response_mode="jwt")))

    inside = read(house, said["response"])
    assert inside["error"] == "invalid_request"
    assert "code" not in inside


@spec("JARM section 3", "JWA-05")
def test_the_key_may_lie_at_an_address_of_the_clients(house: World, suite: Listener) -> None:
    suite.documents["/enc"] = {"keys": [public(EC)]}
    where = {"jwks": None, "jwks_uri": f"{suite.url}/enc"}
    rp, browser = client(house, EC, "ECDH-ES", **where), house.browser()

    _, said = carried(browser.follow(browser.authorize(rp, response_mode="jwt")))

    assert opened(house, said["response"], EC)[1]["code"]


@spec("JARM section 3", "JOS-09", "DCR-09")
@pytest.mark.parametrize(
    "metadata",
    [
        {"authorization_encrypted_response_alg": "RSA1_5"},
        {"authorization_encrypted_response_alg": "dir"},
        {"authorization_encrypted_response_alg": "RSA-OAEP-256", "jwks": None},
        {"authorization_encrypted_response_enc": "A128GCM"},
        {
            "authorization_encrypted_response_alg": "ECDH-ES",
            "authorization_encrypted_response_enc": "A128",
        },
    ],
)
def test_what_cannot_be_done_is_not_registered(house: World, metadata: dict[str, Any]) -> None:
    wish = {"redirect_uris": ["https://rp.test/cb"], "jwks": {"keys": [public(RSA)]}} | metadata

    answer = house.http().post("/register", json=wish)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@spec("JARM section 4")
def test_discovery_names_the_ways_to_encrypt(house: World) -> None:
    said = house.http().get("/.well-known/openid-configuration").json

    assert "RSA-OAEP-256" in said["authorization_encryption_alg_values_supported"]
    assert "A256GCM" in said["authorization_encryption_enc_values_supported"]
