"""Clients that authenticate with a certificate (RFC 8705 section 2)."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from idp.store import db
from tests.support.certified import MTLS, Certified, Pair, certificate, names
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

CA = certificate("Authority", ca=True)
STRANGER = certificate("Authority", ca=True)
DN = "CN=client,O=Notes\\, Inc."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("mtls")
    (folder / "ca.pem").write_text(CA.pem)
    made = make_world(folder, **MTLS, IDP_MTLS__CA_BUNDLE=str(folder / "ca.pem"))
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def machine(world: World, method: str, **more: Any) -> Rp:
    return world.machine(
        token_endpoint_auth_method=method, grant_types=["client_credentials"], **more
    )


def status(app: Rp, pair: Pair | None, **more: Any) -> int:
    app = Certified.of(app, pair)
    return app.post("/token", grant_type="client_credentials", **more).status_code


@spec("RFC 8705 section 2.1", "RFC 8705 section 2.1.2")
@pytest.mark.parametrize(
    ("member", "registered", "carried", "other"),
    [
        ("tls_client_auth_san_dns", "app.test", {"dns": "APP.test"}, {"dns": "x.app.test"}),
        ("tls_client_auth_san_dns", "app.test", {"dns": "app.test"}, {"dns": "*.test"}),
        ("tls_client_auth_san_uri", "https://app.test/1", {"uri": "https://app.test/1"}, {}),
        ("tls_client_auth_san_ip", "2001:db8::1", {"ip": "2001:db8:0::1"}, {"ip": "::1"}),
        ("tls_client_auth_san_email", "a@app.test", {"email": "a@app.test"}, {"dns": "app.test"}),
    ],
)
def test_a_client_is_known_by_the_name_its_authority_has_certified(
    world: World, member: str, registered: str, carried: dict[str, str], other: dict[str, str]
) -> None:
    app = machine(world, "tls_client_auth", **{member: registered})

    right = certificate(issuer=CA, extensions=[names(**carried)])
    wrong = certificate(issuer=CA, extensions=[names(**other)] if other else [])

    assert status(app, right) == 200
    assert status(app, wrong) == 401
    assert status(app, None) == 401


@spec("RFC 8705 section 2.1", "RFC 4514 section 3")
def test_a_subject_is_compared_as_a_whole(world: World) -> None:
    app = machine(world, "tls_client_auth", tls_client_auth_subject_dn=DN)

    assert status(app, certificate(issuer=CA)) == 200
    assert status(app, certificate("client2", issuer=CA)) == 401
    assert status(app, certificate("client,O=Notes\\, Inc.", issuer=CA)) == 401


@spec("RFC 8705 section 2.1", "RFC 5280 section 6")
def test_the_word_of_a_stranger_does_not_count(world: World) -> None:
    app = machine(world, "tls_client_auth", tls_client_auth_subject_dn=DN)
    servers = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])

    assert status(app, certificate()) == 401
    assert status(app, certificate(issuer=STRANGER)) == 401
    assert status(app, certificate(issuer=certificate("middle", CA))) == 401
    assert status(app, certificate(issuer=CA, extensions=[servers])) == 401


@spec("RFC 5280 section 6")
def test_a_certificate_that_has_run_out_is_none(world: World) -> None:
    app = machine(world, "tls_client_auth", tls_client_auth_subject_dn=DN)
    short = certificate(issuer=CA, days=1)

    assert status(app, short) == 200
    world.clock.advance(hours=25)
    late = status(app, short)
    world.clock.advance(hours=-25)

    assert late == 401


@spec("RFC 8705 section 2.2")
def test_a_client_that_certifies_itself_is_known_by_its_key(world: World) -> None:
    own, renewed, other = certificate(), certificate(), certificate()
    app = machine(world, "self_signed_tls_client_auth", jwks={"keys": [own.jwk()]})
    listed = renewed.jwk(x5c=other.x5c())
    by_x5c = machine(world, "self_signed_tls_client_auth", jwks={"keys": [listed]})

    assert status(app, own) == 200
    assert status(app, other) == 401
    assert status(app, None) == 401
    assert status(by_x5c, other) == 200
    assert status(by_x5c, own) == 401


@spec("CLA-01", "CLA-02", "RFC 8705 section 2")
def test_a_certificate_is_no_way_in_for_who_is_registered_for_another(world: World) -> None:
    own = certificate()
    app = machine(world, "self_signed_tls_client_auth", jwks={"keys": [own.jwk()]})
    secretive = world.machine(grant_types=["client_credentials"])
    bare = Rp(world, secretive.client_id, None)

    assert status(secretive, own) == 200
    assert status(bare, own) == 401
    assert status(app, own, client_secret="x") == 401
    assert Certified.of(app, own).post("/introspect", token="x").json == {"active": False}


@spec("CLA-03", "CLA-06")
def test_without_a_certificate_it_is_refused_like_anybody(world: World) -> None:
    app = machine(world, "self_signed_tls_client_auth", jwks={"keys": [certificate().jwk()]})

    answer = Certified.of(app, None).post("/token", grant_type="client_credentials")
    nobody = Certified(world, "nobody", None, "", certificate())

    refused = nobody.post("/token", grant_type="client_credentials")
    assert (answer.status_code, answer.json) == (refused.status_code, refused.json)
    assert answer.json["error"] == "invalid_client"


SELF_SIGNED = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
NAMED = {"token_endpoint_auth_method": "tls_client_auth"}
TWO = {"tls_client_auth_san_dns": "a.test", "tls_client_auth_san_uri": "https://a.test"}


@spec("RFC 8705 section 2.1.2", "RFC 7591 section 3.2.2")
@pytest.mark.parametrize(
    "members",
    [
        NAMED,
        NAMED | TWO,
        NAMED | {"tls_client_auth_subject_dn": "no name"},
        NAMED | {"tls_client_auth_subject_dn": ""},
        NAMED | {"tls_client_auth_subject_dn": 7},
        NAMED | {"tls_client_auth_san_ip": "300.1.1.1"},
        NAMED | {"tls_client_auth_san_dns": "*.test"},
        NAMED | {"tls_client_auth_san_uri": "app"},
        NAMED | {"tls_client_auth_san_email": ["a@b.test"]},
        SELF_SIGNED,
        {"tls_client_auth_san_dns": "a.test"},
        {"tls_client_certificate_bound_access_tokens": "yes"},
    ],
)
def test_metadata_that_name_nobody_or_several_are_refused(
    world: World, members: dict[str, object]
) -> None:
    said = {"redirect_uris": ["https://app.test/cb"]} | members

    answer = world.http().post("/register", json=said)

    assert answer.status_code == 400
    assert answer.json["error"] == "invalid_client_metadata"
