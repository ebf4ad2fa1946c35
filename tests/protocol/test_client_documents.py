"""Clients whose client_id is the address of a document about them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from idp.app import create_app
from idp.crypto.secrets import new_id
from idp.settings import load
from idp.store import db
from tests.support.publisher import JSON, Publisher, publisher
from tests.support.signer import ASKED, Signer
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world, returned

DRAFT = "draft-ietf-oauth-client-id-metadata-document"
NUMBERS = iter(range(10_000))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    with publisher(tmp_path_factory.mktemp("ca")) as made:
        yield made


def settings(host: Publisher, **more: str) -> dict[str, str]:
    return {
        "IDP_CLIENT_DOCUMENTS__MODE": "any",
        "IDP_OUTBOUND__ALLOWED": host.place,
        "IDP_OUTBOUND__CA_BUNDLE": str(host.bundle),
        "IDP_REGISTRATION__QUOTA": "1000",
    } | more


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, host: Publisher) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("op"), **settings(host))
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def path() -> str:
    """Nobody has been there yet."""
    return f"/apps/{next(NUMBERS)}.json"


def app(world: World, host: Publisher, path: str, **members: Any) -> Rp:
    """An app that publishes a document about itself."""
    about = host.about(path, **members)
    host.publishes(path, about)
    return Rp(world, host.url(path), None, about["redirect_uris"][0])


def refused(world: World, client: Rp) -> TestResponse:
    answer = world.browser().authorize(client)
    assert answer.status_code == 400, answer.text
    assert "Location" not in answer.headers
    return answer


@spec(DRAFT, "CIM-01")
def test_an_app_nobody_registered_signs_a_person_in(
    world: World, host: Publisher, path: str
) -> None:
    client, browser = app(world, host, path), world.browser()

    page = browser.authorize(client)
    tokens = browser.tokens(client)

    assert page.status_code in (200, 303)
    assert world.userinfo(tokens["access_token"]).status_code == 200
    assert client.refresh(tokens["refresh_token"]).status_code == 200
    assert host.fetched.count(path) == 1
    said = world.http().get("/.well-known/openid-configuration").json
    assert said["client_id_metadata_document_supported"] is True


@spec(DRAFT, "JAR-01", "RFC 9126 section 2")
@pytest.mark.parametrize("how", ["request", "pushed"])
def test_its_first_request_may_be_signed_or_pushed(
    world: World, host: Publisher, path: str, how: str
) -> None:
    signer, browser = Signer(), world.browser()
    client = app(world, host, path, jwks=signer.jwks)
    asked = {"redirect_uri": client.redirect_uri}
    request = signer.request(world, client.client_id, **asked)
    if how == "request":
        query = {"request": request}
    else:
        query = {"request_uri": client.post("/par", **ASKED | asked).json["request_uri"]}

    page = browser.http.get("/authorize", query_string=query | {"client_id": client.client_id})

    assert returned(browser.follow(page))["code"]


@spec(DRAFT, "CIM-01", "OID-11")
def test_the_person_reads_where_the_app_lives_and_is_always_asked(
    world: World, host: Publisher, path: str
) -> None:
    logo = "https://reader.test/logo.png"
    client = app(world, host, path, client_name="Your bank", logo_uri=logo)
    browser = world.browser()
    browser.sign_in()

    page = browser.http.get(browser.authorize(client).headers["Location"])

    assert 'id="consent-allow"' in page.text
    assert "Your bank" in page.text
    assert host.place in page.text
    assert logo not in page.text
    assert "lands-here" not in page.text


@spec(DRAFT, "CIM-01", "RFC 8252 section 7.3")
def test_an_app_on_the_persons_own_machine_is_pointed_out(
    world: World, host: Publisher, path: str
) -> None:
    local = ["http://127.0.0.1/callback", "http://localhost:3000/callback"]
    client = app(world, host, path, redirect_uris=local)
    browser = world.browser()
    browser.sign_in()

    sent = browser.authorize(client, redirect_uri="http://127.0.0.1:49152/callback")

    assert "lands-here" in browser.http.get(sent.headers["Location"]).text


@spec(DRAFT, "CIM-01")
def test_a_document_without_a_name_gives_its_host(world: World, host: Publisher, path: str) -> None:
    client = app(world, host, path, client_name=None)

    world.browser().authorize(client)

    with world.app.app_context():
        assert world.op.clients.get(client.client_id).name == host.place


@spec(DRAFT, "CIM-01", "RED-03", "DCR-09")
@pytest.mark.parametrize(
    "members",
    [
        {"client_id": "https://other.test/client.json"},
        {"client_id": None},
        {"client_secret": "x"},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"redirect_uris": []},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://reader.test/callback#x"]},
        {"redirect_uris": ["http://reader.test/callback"]},
        {"redirect_uris": "https://reader.test/callback"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"client_uri": "javascript:alert(1)"},
        {"grant_types": ["client_credentials"], "response_types": []},
        {"padding": "x" * 5120},
    ],
)
def test_a_document_that_breaks_a_rule_makes_no_client(
    world: World, host: Publisher, path: str, members: dict[str, Any]
) -> None:
    host.publishes(path, host.about(path, **members))

    refused(world, Rp(world, host.url(path), None))


@spec(DRAFT, "CIM-01", "SSR-03")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (201, JSON),
        (204, JSON),
        (301, JSON | {"Location": "/elsewhere.json"}),
        (304, JSON),
        (404, JSON),
        (500, JSON),
        (200, {"Content-Type": "text/html"}),
        (200, {"Content-Type": "text/plain"}),
        (200, {}),
    ],
)
def test_only_a_document_that_is_there_counts(
    world: World, host: Publisher, path: str, status: int, headers: dict[str, str]
) -> None:
    host.publishes("/elsewhere.json", host.about("/elsewhere.json"))
    host.publishes(path, host.about(path), status, headers)
    before = list(host.fetched)

    refused(world, Rp(world, host.url(path), None))

    assert host.fetched == [*before, path]
    host.publishes(path, host.about(path), headers={"Content-Type": "application/x+json;a=b"})
    answer = world.browser().authorize(
        Rp(world, host.url(path), None, "https://reader.test/callback")
    )
    assert answer.status_code == 303


@spec(DRAFT, "CIM-01", "SSR-01", "SSR-09")
@pytest.mark.parametrize(
    "address",
    [
        "http://{place}/a.json",
        "HTTPS://{place}/a.json",
        "https://{place}",
        "https://{place}?a=/b",
        "https://{place}/a.json#x",
        "https://user@{place}/a.json",
        "https://{place}/x/../a.json",
        "https://{place}/./a.json",
        "https://{place}/x/%2e%2E/a.json",
        "https://{place}/a b",
        "https://{place}/a\\b",
        "https://{place}/" + "a" * 255,
        "https://127.0.0.1:1/a.json",
        "https://169.254.169.254/latest",
        "https://[::1]/a.json",
        "https:///a.json",
        "https://x:y/a.json",
    ],
)
def test_an_address_with_tricks_is_not_even_looked_at(
    world: World, host: Publisher, address: str
) -> None:
    before = len(host.fetched)

    refused(world, Rp(world, address.format(place=host.place), None))

    assert len(host.fetched) == before


@spec(DRAFT, "CIM-01")
@pytest.mark.parametrize(
    ("headers", "counts"),
    [
        ({}, 300),
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": "public, MAX-AGE=600", "Age": "100"}, 500),
        ({"Cache-Control": "max-age=1"}, 60),
        ({"Cache-Control": "no-store"}, 60),
        ({"Cache-Control": "max-age=99999999"}, 86400),
    ],
)
def test_a_document_counts_as_long_as_its_server_says_within_bounds(
    world: World, host: Publisher, path: str, headers: dict[str, str], counts: int
) -> None:
    client = app(world, host, path)
    host.publishes(path, host.about(path), headers=JSON | headers)
    world.browser().authorize(client)
    world.clock.advance(seconds=counts - 1)
    world.browser().authorize(client)
    kept = host.fetched.count(path)

    world.clock.advance(seconds=1)
    world.browser().authorize(client)

    assert (kept, host.fetched.count(path)) == (1, 2)


@spec(DRAFT, "CIM-01", "RED-01")
def test_what_the_document_says_now_is_what_counts(
    world: World, host: Publisher, path: str
) -> None:
    client = app(world, host, path)
    world.browser().authorize(client)
    host.publishes(path, host.about(path, redirect_uris=["https://reader.test/new"]))

    world.clock.advance(seconds=301)

    refused(world, client)
    client.redirect_uri = "https://reader.test/new"
    assert world.browser().authorize(client).status_code == 303


@spec(DRAFT, "RFC 7523 section 3", "CIM-01")
def test_a_client_with_a_key_authenticates_with_it(
    world: World, host: Publisher, path: str
) -> None:
    key = ECKey.generate_key("P-256")
    client = app(
        world,
        host,
        path,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [key.as_dict(private=False)]},
    )
    now = int(world.clock.now.timestamp())
    said = {"iss": client.client_id, "sub": client.client_id, "aud": "https://op.test"}
    said |= {"jti": new_id(), "exp": now + 60}
    browser = world.browser()
    code = browser.code(client)

    proven = client.redeem(
        code,
        browser.verifier,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=jwt.encode({"alg": "ES256"}, said, key),
    )
    bare = client.redeem(browser.code(client), browser.verifier)

    assert (proven.status_code, bare.status_code) == (200, 401)


@spec(DRAFT, "DCR-04", "CIM-01")
def test_a_document_gives_no_privilege(world: World, host: Publisher, path: str) -> None:
    grants = ["authorization_code", "client_credentials"]
    client = app(
        world,
        host,
        path,
        trusted=True,
        serves=["https://api.test"],
        token_exchange={"resources": ["https://api.test"]},
        grant_types=[*grants, "urn:ietf:params:oauth:grant-type:token-exchange"],
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [ECKey.generate_key("P-256").as_dict(private=False)]},
    )

    world.browser().authorize(client)

    with world.app.app_context():
        view = world.op.clients.get(client.client_id)
    assert (view.trusted, view.dynamic, view.serves) == (False, True, frozenset())
    assert view.grant_types == {"authorization_code"}
    assert "token_exchange" not in view.details


@spec(DRAFT, "CIM-01")
def test_the_operator_says_who_is_let_in(tmp_path: Path, host: Publisher, path: str) -> None:
    open_world = make_world(tmp_path, **settings(host))
    open_world.person()
    client, browser = app(open_world, host, path), open_world.browser()
    tokens = browser.tokens(client)

    def again(**more: str) -> Rp:
        environ = {"IDP_DATA_DIR": str(tmp_path), "IDP_ISSUER": "https://op.test"}
        environ["IDP_SECRET"] = "a secret that is only good for tests, and long"
        world = World(
            create_app(load(environ=environ | settings(host, **more)), open_world.clock),
            open_world.clock,
        )
        return Rp(world, client.client_id, None, client.redirect_uri)

    listed = again(IDP_CLIENT_DOCUMENTS__MODE="listed", IDP_CLIENT_DOCUMENTS__HOSTS=host.place)
    other = again(IDP_CLIENT_DOCUMENTS__MODE="listed", IDP_CLIENT_DOCUMENTS__HOSTS="x.test")
    off = again(IDP_CLIENT_DOCUMENTS__MODE="off")

    assert listed.world.browser().authorize(listed).status_code == 303
    refused(other.world, other)
    refused(off.world, off)
    assert off.refresh(tokens["refresh_token"]).status_code == 401
    said = off.world.http().get("/.well-known/openid-configuration").json
    assert "client_id_metadata_document_supported" not in said


@spec(DRAFT, "DCR-08")
def test_new_clients_are_counted_like_registrations(
    tmp_path: Path, host: Publisher, path: str
) -> None:
    world = make_world(tmp_path, **settings(host, IDP_REGISTRATION__QUOTA="2"))
    known = app(world, host, path)

    answers = [world.browser().authorize(known).status_code for _ in range(3)]
    more = [
        world.browser().authorize(app(world, host, f"{path}.{n}.json")).status_code for n in "ab"
    ]

    assert answers == [303, 303, 303]
    assert more == [303, 400]
    assert f"{path}.b.json" not in host.fetched
