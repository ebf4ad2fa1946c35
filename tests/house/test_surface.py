"""What discovery says, what the routes answer, what is registered and what is written down: one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.crypto.jose import OUR_ALGORITHMS
from idp.domain.metadata.members import AUTH_METHODS, GRANT_TYPES
from idp.protocol.grants import GRANTS
from idp.protocol.token import GRANT_TYPES as AT_THE_TOKEN_ENDPOINT
from idp.store import db
from idp.web.endpoints import ROUTES
from tests.conformance.checks import Json
from tests.conformance.members import MEMBERS
from tests.conformance.registration import grants
from tests.support.world import CALLBACK, World, make_world

ROOT = Path(__file__).parents[2]
NOT_IN_DISCOVERY = {
    "/feed": "guards of ours know it",
    "/logo": "pages of ours show it",
    "/receipts": "a person's own programs know it",
    "/register/<client_id>": "a registration's answer names it",
    "/status-lists/<list_id>": "a token names it",
    "/ssf/poll/<stream_id>": "a stream names it",
    "/.well-known/openid-configuration": "it is the document",
    "/.well-known/oauth-authorization-server": "it is the document",
    "/.well-known/ssf-configuration": "it is the document of the transmitter",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A provider with every switch on."""
    made = make_world(
        tmp_path_factory.mktemp("surface"),
        IDP_LEGACY_RESPONSE_TYPES="true",
        IDP_MTLS__SOURCE="proxy",
        IDP_MTLS__ORIGIN="https://mtls.op.test",
        IDP_CLIENT_DOCUMENTS__MODE="any",
        IDP_REGISTRATION__QUOTA="1000",
    )
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="module")
def document(whole: World) -> Json:
    return dict(whole.http().get("/.well-known/openid-configuration").json)


@pytest.fixture(scope="module")
def transmitter(whole: World) -> Json:
    return dict(whole.http().get("/.well-known/ssf-configuration").json)


def paths(document: Json) -> dict[str, str]:
    """Every address of ours a document names, and how."""
    own = "https://op.test"
    return {
        str(v).removeprefix(own): k for k, v in document.items() if str(v).startswith(f"{own}/")
    }


def test_discovery_has_registered_members_only(document: Json) -> None:
    assert set(document) - MEMBERS == set()


def test_every_protocol_endpoint_is_named_somewhere(document: Json, transmitter: Json) -> None:
    named = paths(document).keys() | paths(transmitter).keys()

    assert {route.path for route in ROUTES} - named == NOT_IN_DISCOVERY.keys()


def test_every_address_that_is_named_is_a_route_and_written_down(
    whole: World, document: Json, transmitter: Json
) -> None:
    routes = {str(rule) for rule in whole.app.url_map.iter_rules()}
    page = (ROOT / "docs" / "endpoints.md").read_text()

    for path, member in (paths(document) | paths(transmitter)).items():
        assert path in routes, member
        assert f"`{path}`" in page, member


def test_every_alias_for_certificates_is_the_same_path_elsewhere(document: Json) -> None:
    aliases = document["mtls_endpoint_aliases"]

    assert aliases
    for member, address in aliases.items():
        assert address == document[member].replace("https://op.test", "https://mtls.op.test")


def test_every_route_of_the_table_is_written_down() -> None:
    page = (ROOT / "docs" / "endpoints.md").read_text()

    assert [route.path for route in ROUTES if f"`{route.path}`" not in page] == []


def test_grants_are_registered_discovered_and_answered_alike(whole: World, document: Json) -> None:
    said = set(document["grant_types_supported"])
    asked = {
        name: whole.http().post("/token", data={"grant_type": name}).json["error"]
        for name in {*said, "password", "urn:x"}
    }

    assert said == set(GRANT_TYPES) == {str(g.GRANT_TYPE) for g in GRANTS} | {"implicit"}
    unsupported = {name for name, error in asked.items() if error == "unsupported_grant_type"}
    assert (
        unsupported == {"implicit", "password", "urn:x"} == set(asked) - set(AT_THE_TOKEN_ENDPOINT)
    )


def test_ways_to_be_authenticated_are_discovered_and_registrable_alike(
    whole: World, document: Json
) -> None:
    said = document["token_endpoint_auth_methods_supported"]

    assert set(said) <= set(AUTH_METHODS)
    for method in {*said, "tls_client_auth", "client_secret_magic"}:
        wish: Json = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": method}
        if method in ("private_key_jwt", "self_signed_tls_client_auth"):
            wish["jwks_uri"] = "https://rp.test/jwks"
        if method == "tls_client_auth":
            wish["tls_client_auth_subject_dn"] = "CN=client"
        answer = whole.http().post("/register", json=wish)
        assert (answer.status_code == 201) == (method in said), (method, answer.json)


def test_response_types_are_discovered_and_registrable_alike(whole: World, document: Json) -> None:
    for response_type in [*document["response_types_supported"], "token", "none", "code x"]:
        wish = {
            "redirect_uris": [CALLBACK],
            "response_types": [response_type],
            "grant_types": grants(response_type),
        }
        kept = whole.http().post("/register", json=wish).json.get("response_types", [])
        assert (response_type in kept) == (response_type in document["response_types_supported"])


def test_keys_are_published_for_every_algorithm_we_sign_with(whole: World, document: Json) -> None:
    published = {key["alg"] for key in whole.http().get("/jwks.json").json["keys"]}

    for member in ("id_token", "userinfo", "authorization", "introspection"):
        said = document[f"{member}_signing_alg_values_supported"]
        assert set(said) == set(OUR_ALGORITHMS) == published, member
