"""The modules of the dynamic plan (conformance B.0.2, B.3)."""

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from idp.store import db
from tests.conformance.conftest import Registers
from tests.conformance.listener import Listener
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.plans import Variant
from tests.conformance.registration import CALLBACK, KEY, grants
from tests.support.spec import spec

NEW_KEY = RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"})
OLD_KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})


@spec("R-DCR-3", "R-DCR-5")
def test_a_registration_can_be_read_and_is_deleted_in_the_end(registers: Registers) -> None:
    rp = registers()
    path = rp.client["registration_client_uri"].removeprefix(rp.issuer)
    bearer = {"Authorization": f"Bearer {rp.client['registration_access_token']}"}

    read = rp.world.http().get(path, headers=bearer)
    deleted = rp.world.http().delete(path, headers=bearer)

    assert read.status_code == 200
    assert read.json["client_id"] == rp.client["client_id"]
    assert (deleted.status_code, deleted.data) == (204, b"")
    rp.refuses(rp.goes())
    del rp.client["registration_client_uri"]


@spec("R-DCR-6")
def test_a_client_that_names_no_scope_may_ask_for_all(registers: Registers) -> None:
    rp = registers(grant_types=["authorization_code", "refresh_token"])

    assert rp.authorizes(scope="openid profile email address phone offline_access")["code"]


@module("oidcc-server", plan="dynamic")
@spec("R-TK-5", "R-DCR-1")
def test_server_with_a_signed_assertion(rp: RelyingParty) -> None:
    """The registered key has no name, and can be used all the same."""
    _, said = rp.signs_in()

    assert said["sub"]
    assert rp.client.get("client_secret_expires_at", 0) == 0
    assert KEY.kid is None
    assert all("kid" not in key for key in rp.client["jwks"]["keys"])


@module("oidcc-ensure-client-assertion-with-iss-aud-succeeds")
def test_ensure_client_assertion_with_iss_aud_succeeds(rp: RelyingParty) -> None:
    code = rp.authorizes()["code"]

    assert rp.tokens(code, **rp.assertion(aud=rp.issuer))["access_token"]


@module("oidcc-idtoken-rs256")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_idtoken_rs256(registers: Registers, alg: str) -> None:
    rp = registers(id_token_signed_response_alg=alg)

    assert rp.client["id_token_signed_response_alg"] == alg
    assert rp.signs_in()[1]["sub"]


@module("oidcc-userinfo-rs256")
def test_userinfo_rs256(registers: Registers) -> None:
    rp = registers(userinfo_signed_response_alg="RS256")
    given, said = rp.signs_in()

    answer = rp.userinfo(given["access_token"])

    read = jwt.decode(answer.text, rp.keys, algorithms=["RS256"])
    assert answer.headers["Content-Type"] == "application/jwt"
    assert read.claims["sub"] == said["sub"]
    assert read.claims["iss"] == rp.issuer
    assert read.claims["aud"] == rp.client["client_id"]
    assert "nonce" not in read.claims
    assert "RS256" in rp.document["userinfo_signing_alg_values_supported"]


@module("oidcc-ensure-redirect-uri-in-authorization-request")
@spec("R-AZ-8")
def test_ensure_redirect_uri_in_authorization_request(registers: Registers) -> None:
    rp = registers(redirect_uris=[CALLBACK, f"{CALLBACK}/second"])

    page = rp.goes(redirect_uri=None)

    rp.refuses(page)


@module("oidcc-redirect-uri-query-OK")
@spec("R-AZ-2")
@pytest.mark.parametrize("query", ["?bar=foo", "?dummy1=lorem&dummy2=ipsum"])
def test_redirect_uri_query_ok(registers: Registers, query: str) -> None:
    rp = registers(redirect_uris=[CALLBACK + query])

    assert rp.signs_in()[1]["sub"]


@module("oidcc-redirect-uri-query-mismatch")
@module("oidcc-redirect-uri-query-added")
@pytest.mark.parametrize(
    ("registered", "sent"), [("?foo=bar", "?foo=baz"), ("", "?foo=bar"), ("?foo=bar", "")]
)
def test_redirect_uri_query_mismatch(registers: Registers, registered: str, sent: str) -> None:
    rp = registers(redirect_uris=[CALLBACK + registered])

    page = rp.goes(redirect_uri=CALLBACK + sent)

    rp.refuses(page)


@module("oidcc-redirect-uri-regfrag")
def test_redirect_uri_regfrag(rp: RelyingParty) -> None:
    rp.metadata = {"redirect_uris": [f"{CALLBACK}#fragment"]}

    answer = rp.registration()

    rp.refused(answer, "invalid_redirect_uri", "invalid_client_metadata")


@module("oidcc-registration-logo-uri")
def test_registration_logo(registers: Registers, suite: Listener) -> None:
    rp = registers(logo_uri=f"{suite.url}/images/openid.png")

    page = rp.shown(rp.goes())

    assert rp.client["logo_uri"] == f"{suite.url}/images/openid.png"
    assert f'src="/logo?client_id={rp.client["client_id"]}' in page.text
    assert suite.place not in page.text


@module("oidcc-registration-policy-uri")
@module("oidcc-registration-tos-uri")
@pytest.mark.parametrize("name", ["policy_uri", "tos_uri"])
def test_registration_policy_and_terms(registers: Registers, name: str) -> None:
    rp = registers(**{name: "https://suite.test/login.html"})

    page = rp.shown(rp.goes())

    assert rp.client[name] == "https://suite.test/login.html"
    assert 'href="https://suite.test/login.html"' in page.text


@module("oidcc-registration-jwks-uri")
def test_registration_jwks_uri(registers: Registers, variant: Variant, suite: Listener) -> None:
    path = f"/client1_jwks/{len(variant.response_type)}"
    suite.documents[path] = suite.keys(OLD_KEY)
    rp = registers(jwks=None, jwks_uri=f"{suite.url}{path}")
    code = rp.authorizes()["code"]

    given = rp.tokens(code, **rp.assertion(OLD_KEY))

    assert given["access_token"]
    assert suite.fetched == [path]


@module("oidcc-refresh-token-rp-key-rotation")
def test_refresh_token_rp_key_rotation(
    registers: Registers, variant: Variant, suite: Listener
) -> None:
    path = f"/client2_jwks/{len(variant.response_type)}"
    suite.documents[path] = suite.keys(OLD_KEY)
    rp = registers(
        jwks=None,
        jwks_uri=f"{suite.url}{path}",
        grant_types=[*grants(variant.response_type), "refresh_token"],
    )
    code = rp.authorizes(scope="openid offline_access", prompt="consent")["code"]
    given = rp.tokens(code, **rp.assertion(OLD_KEY))

    suite.documents[path] = suite.keys(NEW_KEY)
    rp.world.clock.advance(seconds=60)
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    answer = rp.asks_token(**form, **rp.assertion(NEW_KEY))

    assert answer.status_code == 200, answer.text
    old = rp.asks_token(**form, **rp.assertion(OLD_KEY))
    rp.refused(old, "invalid_client", status=(400, 401))


@module("oidcc-registration-sector-uri")
def test_registration_sector_uri(registers: Registers, suite: Listener) -> None:
    suite.documents["/redirect_uris.json"] = [CALLBACK]

    rp = registers(subject_type="pairwise", sector_identifier_uri=f"{suite.url}/redirect_uris.json")

    assert rp.client["subject_type"] == "pairwise"
    assert suite.fetched == ["/redirect_uris.json"]


@module("oidcc-registration-sector-bad")
def test_registration_sector_bad(rp: RelyingParty, suite: Listener) -> None:
    suite.documents["/redirect_uris.json"] = [f"{CALLBACK}/else"]
    rp.metadata = {
        "subject_type": "pairwise",
        "sector_identifier_uri": f"{suite.url}/redirect_uris.json",
    }

    rp.refused(rp.registration(), "invalid_client_metadata")


@module("oidcc-server-rotate-keys")
def test_server_rotate_keys(rp: RelyingParty) -> None:
    rp.world.clock.advance(minutes=11)  # what was announced in another run is known by now
    given, _ = rp.signs_in()
    before = rp.world.http().get(rp.at("jwks_uri")).json["keys"]

    with rp.world.app.app_context():
        rp.world.op.keys.rotate("RS256", rp.world.clock.now)
        db.session.commit()

    after = rp.world.http().get(rp.at("jwks_uri")).json["keys"]
    new = [key for key in after if key["kid"] not in {key["kid"] for key in before}]
    assert "RSA" in {key["kty"] for key in new}
    for key in new:
        assert key["kty"] in ("RSA", "EC")
        assert (key.get("n"), key.get("x")) not in {(k.get("n"), k.get("x")) for k in before}
    assert {key["kid"] for key in before} <= {key["kid"] for key in after}
    rp.discovers()
    assert rp.identity(given["id_token"])["sub"]
    assert rp.signs_in()[1]["sub"]
