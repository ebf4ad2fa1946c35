"""Dynamic registration and discovery."""

from pathlib import Path

import pytest

from tests.support.spec import spec
from tests.support.world import World, make_world

GOOD = {"redirect_uris": ["https://rp.test/cb"], "client_name": "Stranger"}


@spec("RFC 7591 section 3.2.1", "R-DCR-2", "R-DCR-6", "DCR-04", "DCR-05")
def test_a_stranger_registers_and_gets_what_it_needs(world: World) -> None:
    wish = {**GOOD, "trusted": True, "client_id": "mine", "contacts": ["a@b.test"], "x": 1}

    answer = world.http().post("/register", json=wish)

    said = answer.json
    assert answer.status_code == 201
    assert said["client_secret_expires_at"] == 0
    assert said["client_id"] != "mine"
    assert said["registration_client_uri"] == f"https://op.test/register/{said['client_id']}"
    assert "trusted" not in said
    assert "x" not in said


@spec("RFC 7592 section 2", "R-DCR-3", "R-DCR-5", "DCR-06", "DCR-07")
def test_a_client_manages_itself_and_nobody_else(world: World) -> None:
    http = world.http()
    one, two = (http.post("/register", json=GOOD).json for _ in range(2))
    mine = {"Authorization": f"Bearer {one['registration_access_token']}"}
    here, there = f"/register/{one['client_id']}", f"/register/{two['client_id']}"

    assert http.get(here, headers=mine).json["client_name"] == "Stranger"
    assert http.get(there, headers=mine).status_code == 401
    changed = {**GOOD, "client_id": one["client_id"], "client_name": "New"}
    assert http.put(here, json=changed, headers=mine).json["client_name"] == "New"
    assert http.put(here, json=GOOD, headers=mine).status_code == 400
    assert http.delete(here, headers=mine).status_code == 204
    assert http.get(here, headers=mine).status_code == 401


@spec("RFC 7591 section 3.2.2", "RED-03", "RED-04", "DCR-01", "DCR-09", "CVE-2026-9086")
@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ["https://rp.test/cb#x"]},
        {"redirect_uris": ["https://u:p@rp.test/cb"]},
        {"redirect_uris": ["http://rp.test/cb"]},
        {"redirect_uris": ["JaVaScRiPt:alert(1)"]},
        {"redirect_uris": ["data:text/html,x"]},
        {"redirect_uris": [" https://rp.test/cb"]},
        {"redirect_uris": ["https://rp.test/cb?code=1"]},
        {"redirect_uris": ["https://*.rp.test/cb"]},
        {"redirect_uris": [{}]},
        {"redirect_uris": []},
        {"grant_types": "implicit"},
        {"grant_types": ["implicit"]},
        {"response_types": ["token"]},
        {"grant_types": ["authorization_code"], "response_types": []},
        {"logo_uri": "\tjavascript:alert(1)"},
        {"policy_uri": "http://rp.test"},
        {"initiate_login_uri": "http://rp.test"},
        {"jwks": {"keys": [{"kty": "oct", "k": "x"}]}},
        {"jwks": {"keys": []}, "jwks_uri": "https://rp.test/k"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"token_endpoint_auth_signing_alg": "none"},
        {"client_name": "x" * 1000},
        {"client_name": "a\x00b"},
        {"software_statement": "x.y.z"},
    ],
)
def test_bad_metadata_is_refused_by_its_name(world: World, change: dict[str, object]) -> None:
    answer = world.http().post("/register", json={**GOOD, **change})

    assert answer.status_code == 400
    assert answer.json["error"].startswith("invalid_")


@pytest.mark.parametrize("body", ["[]", "3", "null", "{", '"x"'])
def test_a_body_that_is_no_object_is_refused(world: World, body: str) -> None:
    answer = world.http().post("/register", data=body, content_type="application/json")

    assert answer.status_code == 400


@spec("DCR-08")
def test_in_production_an_invitation_is_needed_and_works_once(tmp_path: Path) -> None:
    from idp.protocol.registration import invite
    from idp.store import db

    world = make_world(tmp_path, IDP_REGISTRATION__MODE="token")
    with world.app.app_context():
        token = invite(world.op, world.clock.now)
        db.session.commit()
    invited = {"Authorization": f"Bearer {token}"}

    answers = [
        world.http().post("/register", json=GOOD, headers=headers).status_code
        for headers in ({}, invited, invited)
    ]

    assert answers == [401, 201, 401]


@spec("DCR-08")
def test_registration_has_a_quota(world: World) -> None:
    answers = [world.http().post("/register", json=GOOD).status_code for _ in range(22)]

    assert answers[:20] == [201] * 20
    assert answers[21] == 429


@spec("OpenID Connect Discovery section 4", "RFC 8414 section 3", "B.2", "OID-13", "PKC-02")
def test_discovery_says_what_works_and_does_not_listen_to_the_host(world: World) -> None:
    first = world.http().get("/.well-known/openid-configuration")
    second = world.http().get(
        "/.well-known/oauth-authorization-server",
        headers={"Host": "evil.test", "X-Forwarded-Host": "evil.test"},
    )

    said = first.json
    assert said == second.json
    assert said["issuer"] == "https://op.test"
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["response_types_supported"] == ["code", "id_token", "code id_token"]
    assert "RS256" in said["id_token_signing_alg_values_supported"]
    assert "evil" not in second.text
    assert first.headers["Access-Control-Allow-Origin"] == "*"


@spec("R-DISC-1")
def test_authlib_itself_finds_nothing_wrong_with_discovery(world: World) -> None:
    from authlib.oauth2.rfc9207 import AuthorizationServerMetadata as Iss
    from authlib.oidc.discovery import OpenIDProviderMetadata
    from authlib.oidc.rpinitiated import OpenIDProviderMetadata as Logout

    said = world.http().get("/.well-known/openid-configuration").json

    OpenIDProviderMetadata(said).validate(metadata_classes=[Iss, Logout])


@spec("RFC 7517 section 5", "R-JWKS-1", "R-JWKS-2")
def test_the_key_set_has_named_public_keys_only(world: World) -> None:
    keys = world.http().get("/jwks.json").json["keys"]

    assert {key["alg"] for key in keys} == {"ES256", "RS256", "PS256", "Ed25519"}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "k"} & set(key)


@spec("BRW-05")
def test_other_origins_may_call_what_browser_apps_need_and_nothing_else(world: World) -> None:
    http = world.http()

    def origin(path: str) -> str | None:
        answer = http.options(path, headers={"Origin": "https://spa.test"})
        return answer.headers.get("Access-Control-Allow-Origin")

    assert [origin(p) for p in ("/token", "/userinfo", "/revoke", "/jwks.json")] == ["*"] * 4
    assert [origin(p) for p in ("/register", "/authorize", "/sign-in", "/introspect")] == [None] * 4


@spec("RFC 7591 section 2", "OpenID Connect Dynamic Client Registration section 2")
def test_what_we_cannot_do_is_left_out_and_the_answer_says_so(world: World) -> None:
    wish = {
        **GOOD,
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": ["code", "id_token token"],
    }

    answer = world.http().post("/register", json=wish)

    assert answer.status_code == 201
    assert answer.json["grant_types"] == ["authorization_code", "refresh_token"]
    assert answer.json["response_types"] == ["code"]
