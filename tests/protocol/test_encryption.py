"""ID tokens and userinfo for the eyes of one client: signed, encrypted, or both."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from idp.crypto.jwe import CONTENT_ALGORITHMS, KEY_ALGORITHMS
from idp.store import db
from tests.support.publisher import Publisher, publisher
from tests.support.spec import spec
from tests.support.world import CALLBACK, Rp, World, make_world, returned

RSA = RSAKey.generate_key(2048, {"kid": "rsa-enc", "use": "enc"})
EC = ECKey.generate_key("P-256", {"kid": "ec-enc", "use": "enc"})
SIGNS = RSAKey.generate_key(2048, {"kid": "signs", "use": "sig", "alg": "RS256"})
JWKS = {"keys": [key.as_dict(private=False) for key in (SIGNS, RSA, EC)]}
PAIRS = [(alg, "A128GCM") for alg in KEY_ALGORITHMS]
PAIRS += [("RSA-OAEP-256", enc) for enc in CONTENT_ALGORITHMS[1:]]


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publisher(tmp_path_factory.mktemp("keeper")) as made:
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, keeper: Publisher) -> Iterator[World]:
    made = make_world(
        tmp_path_factory.mktemp("encryption"),
        IDP_OUTBOUND__ALLOWED=keeper.place,
        IDP_OUTBOUND__CA_BUNDLE=str(keeper.bundle),
    )
    made.person("alice", email="alice@example.com")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def opened(token: str) -> tuple[dict[str, Any], str]:
    """What is inside, with the client's own keys; and the header outside."""
    algorithms = [*KEY_ALGORITHMS, *CONTENT_ALGORITHMS]
    found = jwe.decrypt_compact(token, KeySet([RSA, EC]), algorithms=algorithms)
    return found.headers(), (found.plaintext or b"").decode()


def identity(house: World, id_token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(house.http().get("/jwks.json").json)
    return dict(jwt.decode(id_token, keys, algorithms=["RS256"]).claims)


def asks(house: World, what: str, alg: str, enc: str | None, **more: Any) -> Rp:
    members = {f"{what}_encrypted_response_alg": alg, f"{what}_encrypted_response_enc": enc}
    return house.rp(jwks=JWKS, **members, **more)


@spec("OpenID Connect Core section 10.2", "R-ID-6", "JOS-09")
@pytest.mark.parametrize(("alg", "enc"), PAIRS)
def test_an_id_token_is_signed_then_encrypted(house: World, alg: str, enc: str) -> None:
    given = house.browser().tokens(asks(house, "id_token", alg, enc), nonce="n")

    header, inside = opened(given["id_token"])

    said = identity(house, inside)
    assert (header["alg"], header["enc"], header["cty"]) == (alg, enc, "JWT")
    assert header["kid"] == ("rsa-enc" if alg.startswith("RSA") else "ec-enc")
    assert said["nonce"] == "n"
    assert "zip" not in header


@spec("OpenID Connect Registration section 2")
def test_where_only_the_key_is_said_the_content_has_the_usual_algorithm(house: World) -> None:
    given = house.browser().tokens(asks(house, "id_token", "ECDH-ES", None))

    assert opened(given["id_token"])[0]["enc"] == "A128CBC-HS256"


@spec("OpenID Connect Core section 10.2", "R-ID-6")
def test_every_id_token_of_the_client_is_encrypted(house: World) -> None:
    rp = asks(
        house,
        "id_token",
        "RSA-OAEP-256",
        "A256GCM",
        response_types=["code id_token"],
        grant_types=["authorization_code", "implicit", "refresh_token"],
    )
    browser = house.browser()
    back = returned(browser.follow(browser.authorize(rp, response_type="code id_token", nonce="n")))

    given = rp.redeem(back["code"], browser.verifier).json
    again = rp.refresh(given["refresh_token"]).json

    subs = {
        identity(house, opened(answer["id_token"])[1])["sub"] for answer in (back, given, again)
    }
    assert len(subs) == 1


@spec("OpenID Connect Core section 5.3.2", "OID-07", "R-ID-6")
@pytest.mark.parametrize("signed", [None, "RS256"])
def test_userinfo_is_encrypted_with_a_signature_or_without(
    house: World, signed: str | None
) -> None:
    rp = asks(
        house, "userinfo", "RSA-OAEP-256", "A128CBC-HS256", userinfo_signed_response_alg=signed
    )
    given = house.browser().tokens(rp, scope="openid email")

    answer = house.userinfo(given["access_token"])

    header, inside = opened(answer.text)
    said = identity(house, inside) if signed else json.loads(inside)
    assert answer.headers["Content-Type"] == "application/jwt"
    assert header.get("cty") == ("JWT" if signed else None)
    assert said["email"] == "alice@example.com"
    assert said.get("aud") == (rp.client_id if signed else None)


@spec("OpenID Connect Registration section 2", "JOS-09", "DCR-09")
@pytest.mark.parametrize(
    "wish",
    [
        {"id_token_encrypted_response_alg": "RSA1_5", "jwks": JWKS},
        {"id_token_encrypted_response_alg": "dir", "jwks": JWKS},
        {"id_token_encrypted_response_alg": "PBES2-HS256+A128KW", "jwks": JWKS},
        {"id_token_encrypted_response_alg": "ECDH-ES"},
        {"id_token_encrypted_response_alg": "ECDH-ES", "jwks": {"keys": JWKS["keys"][:2]}},
        {"userinfo_encrypted_response_alg": "RSA-OAEP-256", "jwks": {"keys": JWKS["keys"][:1]}},
        {"userinfo_encrypted_response_enc": "A128GCM", "jwks": JWKS},
        {
            "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A192GCM",
            "jwks": JWKS,
        },
    ],
)
def test_what_cannot_be_encrypted_well_is_refused_at_registration(
    house: World, wish: dict[str, Any]
) -> None:
    answer = house.http().post("/register", json={"redirect_uris": [CALLBACK]} | wish)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")


@spec("OpenID Connect Core section 10.2.1", "COD-14")
def test_a_key_that_is_fetched_is_found_again_after_it_changed(
    house: World, keeper: Publisher
) -> None:
    uri = keeper.publishes("/keys", {"keys": [SIGNS.as_dict(private=False)]})
    rp = house.rp(jwks_uri=uri, id_token_encrypted_response_alg="ECDH-ES")
    browser = house.browser()
    code = browser.code(rp)

    none = rp.redeem(code, browser.verifier)
    keeper.publishes("/keys", JWKS)
    house.clock.advance(seconds=11)
    given = rp.redeem(code, browser.verifier)

    assert (none.status_code, none.json["error"]) == (400, "invalid_request")
    assert given.status_code == 200, given.text
    assert opened(given.json["id_token"])[0]["kid"] == "ec-enc"


@spec("RFC 8414 section 2", "C.1")
def test_discovery_says_with_what(house: World) -> None:
    document = house.http().get("/.well-known/openid-configuration").json

    for what in ("id_token", "userinfo"):
        assert document[f"{what}_encryption_alg_values_supported"] == list(KEY_ALGORITHMS)
        assert document[f"{what}_encryption_enc_values_supported"] == list(CONTENT_ALGORITHMS)
    assert "RSA1_5" not in str(document)
