"""`fapi2`: one word of an operator's, and the whole profile (FAPI 2.0 Security Profile)."""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.crypto import jose
from idp.domain.admission import Admission
from idp.domain.clients import ClientView, InvalidMetadata
from idp.domain.outbound import Outbound
from idp.store import db
from tests.support.spec import spec
from tests.support.world import CALLBACK, World, make_world

KEY = jose.generate("ES256").as_dict(private=False) | {"kid": "k1", "alg": "ES256"}
FAPI2: dict[str, Any] = {
    "profile": "fapi2",
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks": {"keys": [KEY]},
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("profiles"))
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def added(world: World, policies: tuple[str, ...] = (), **more: Any) -> ClientView:
    with world.app.app_context():
        view, _ = world.op.clients.add(FAPI2 | more, policies=policies, now=world.clock.now)
        db.session.commit()
    return view


@spec("FAPI 2.0 Security Profile section 5.3.2")
def test_what_a_client_leaves_open_is_filled_in(world: World) -> None:
    view = added(world)

    assert view.details["require_pushed_authorization_requests"] is True
    assert view.details["dpop_bound_access_tokens"] is True
    assert view.id_token_alg == "ES256"
    assert not view.rotates
    assert added(world, tls_client_certificate_bound_access_tokens=True).dpop_bound is False


@spec("FAPI 2.0 Message Signing section 5")
def test_messages_are_signed_where_the_word_says_so(world: World) -> None:
    view = added(world, profile="fapi2_message_signing")

    assert view.details["require_signed_request_object"] is True
    assert view.details["authorization_signed_response_alg"] == "ES256"
    with pytest.raises(InvalidMetadata, match="signs its requests"):
        added(world, profile="fapi2_message_signing", require_signed_request_object=False)


@spec("FAPI 2.0 Security Profile section 5.3.2", "FAPI 2.0 Security Profile section 5.4")
@pytest.mark.parametrize(
    ("contradiction", "sentence"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "private_key_jwt or mutual TLS"),
        ({"token_endpoint_auth_method": "none"}, "private_key_jwt or mutual TLS"),
        ({"require_pushed_authorization_requests": False}, "pushes its requests"),
        ({"dpop_bound_access_tokens": False}, "bound to a key"),
        ({"assertion_audience": "token_endpoint"}, "for the issuer alone"),
        ({"id_token_signed_response_alg": "RS256"}, "PS256, ES256"),
        ({"userinfo_signed_response_alg": "RS256"}, "PS256, ES256"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "PS256, ES256"),
        ({"token_endpoint_auth_signing_alg": "PS512"}, "PS256, ES256"),
        ({"profile": "fapi3"}, "profile"),
        ({"profile": ["fapi2"]}, "profile"),
    ],
)
def test_what_contradicts_it_is_refused_with_a_sentence(
    world: World, contradiction: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidMetadata, match=sentence):
        added(world, **contradiction)


@spec("FAPI 2.0 Security Profile section 5.3.2.1")
def test_its_refresh_tokens_are_never_rotated(world: World) -> None:
    view = added(world)

    with pytest.raises(InvalidMetadata, match="rotation"):
        added(world, ("rotation",))
    with world.app.app_context(), pytest.raises(InvalidMetadata, match="rotation"):
        world.op.clients.choose_policies(view.client_id, ["rotation", "sso"])
    with world.app.app_context():
        assert not world.op.clients.choose_policies(view.client_id, ["sso"]).rotates
        db.session.rollback()


@spec("DCR-04")
def test_no_client_gives_itself_a_profile_or_takes_it_away(world: World) -> None:
    said = {k: v for k, v in FAPI2.items() if k != "policies"}
    made = world.http().post("/register", json=said).json
    assert "profile" not in made
    assert "require_pushed_authorization_requests" not in made
    with world.app.app_context():
        world.op.clients.decide(made["client_id"], profile="fapi2")
        db.session.commit()

    bearer = {"Authorization": f"Bearer {made['registration_access_token']}"}
    path = f"/register/{made['client_id']}"
    weak = said | {"client_id": made["client_id"], "dpop_bound_access_tokens": False}
    refused = world.http().put(path, json=weak, headers=bearer)
    weak |= {"dpop_bound_access_tokens": True, "policies": ["rotation"]}
    rotating = world.http().put(path, json=weak, headers=bearer)
    kept = world.http().put(path, json=weak | {"policies": [], "profile": None}, headers=bearer)

    assert (refused.status_code, rotating.status_code) == (400, 400)
    assert kept.status_code == 200
    assert kept.json["profile"] == "fapi2"
    assert kept.json["require_pushed_authorization_requests"] is True


def admission_of(world: World) -> Admission:
    """Admission by itself, which fetches nothing here."""
    return Admission(Outbound(), lambda: None, world.op.rules)


@spec("FAPI 2.0 Security Profile section 5.3.2")
def test_a_client_that_describes_itself_is_held_to_nothing(world: World) -> None:
    admission = admission_of(world)

    assert admission.decided("c_1", FAPI2, ())["profile"] == "fapi2"
    with pytest.raises(InvalidMetadata, match="describes itself"):
        admission.decided("https://app.test/client.json", FAPI2, ())


@spec("RFC 8705 section 2.1", "P5")
def test_without_authorities_nobody_is_known_by_their_word(world: World) -> None:
    named = {"tls_client_auth_san_dns": "app.test", "token_endpoint_auth_method": "tls_client_auth"}

    with pytest.raises(InvalidMetadata, match="ca_bundle"):
        admission_of(world).checked(FAPI2 | named)
