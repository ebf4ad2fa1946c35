"""Clients whose own certificates are known by the keys at their jwks_uri (RFC 8705 section 2.2)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.store import db
from tests.support.certified import MTLS, Certified, Pair, certificate
from tests.support.publisher import Publisher, publisher
from tests.support.spec import spec
from tests.support.world import World, make_world


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Publisher]:
    with publisher(tmp_path / "web") as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, web: Publisher) -> Iterator[World]:
    trusts = {"IDP_OUTBOUND__ALLOWED": web.place, "IDP_OUTBOUND__CA_BUNDLE": str(web.bundle)}
    made = make_world(tmp_path / "op", **MTLS, **trusts)
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@spec("RFC 8705 section 2.2.2", "JWA-05")
def test_a_new_key_at_a_clients_address_is_found_without_asking_all_the_time(
    world: World, web: Publisher
) -> None:
    old, new, stranger = certificate(), certificate(), certificate()
    address = web.publishes("/jwks.json", {"keys": [old.jwk(kid="1", use="sig")]})
    app = world.machine(
        grant_types=["client_credentials"],
        token_endpoint_auth_method="self_signed_tls_client_auth",
        jwks_uri=address,
    )

    def status(pair: Pair) -> int:
        form = {"grant_type": "client_credentials"}
        return Certified.of(app, pair).post("/token", **form).status_code

    assert status(old) == 200
    assert [status(stranger) for _ in range(5)] == [401] * 5
    assert len(web.fetched) == 1
    web.publishes("/jwks.json", {"keys": [new.jwk(kid="2", use="sig")]})
    world.clock.advance(seconds=11)
    assert status(new) == 200
    assert [status(old) for _ in range(5)] == [401] * 5
    assert len(web.fetched) == 2
