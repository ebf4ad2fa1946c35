"""The module oidcc-refresh-token, and what a client that renews must find (conformance B.1.1)."""

import pytest

from tests.support.spec import spec
from tests.support.suite import Json, Module, bits
from tests.support.world import World

RENEWING = {"grant_types": ["authorization_code", "refresh_token"]}
SCOPE = "openid offline_access"


@pytest.fixture
def module(op: World) -> Module:
    return Module(op, RENEWING)


def refresh(module: Module, token: str, **more: str) -> Json:
    module.world.clock.advance(seconds=1)
    answer = module.asks_token(grant_type="refresh_token", refresh_token=token, **more)
    assert answer.status_code == 200, answer.text
    return module.checked(answer)


@spec("conformance oidcc-refresh-token", "R-TK-1")
@pytest.mark.parametrize("more", [{"scope": SCOPE}, {}])
def test_refresh_token(module: Module, more: dict[str, str]) -> None:
    given, first = module.signs_in(scope=SCOPE, prompt="consent")

    renewed = refresh(module, given["refresh_token"], **more)

    assert given["refresh_token"].isascii()
    assert given["refresh_token"].isprintable()
    assert bits(given["refresh_token"]) > 128
    assert renewed["access_token"] != given["access_token"]
    assert module.userinfo(renewed["access_token"]).json["sub"] == first["sub"]


@spec("conformance oidcc-refresh-token", "Core section 12.2")
def test_a_new_id_token_tells_of_the_same_sign_in(module: Module) -> None:
    given, first = module.signs_in(scope=SCOPE, prompt="consent")

    renewed = refresh(module, given["refresh_token"])

    second = module.identity(renewed["id_token"], fresh=False)
    for name in ("iss", "sub", "aud", "azp", "auth_time"):
        assert second.get(name) == first.get(name)
    assert second["iat"] > first["iat"]
    assert second.get("nonce", first["nonce"]) == first["nonce"]


@spec("conformance oidcc-refresh-token", "R-TK-2")
def test_another_client_cannot_use_a_refresh_token(op: World) -> None:
    first, second = Module(op, RENEWING), Module(op, RENEWING)
    given, _ = second.signs_in(scope=SCOPE, prompt="consent")

    answer = first.asks_token(grant_type="refresh_token", refresh_token=given["refresh_token"])

    assert answer.status_code == 400
    assert answer.mimetype == "application/json"
    assert answer.json["error"] == "invalid_grant"
    assert refresh(second, given["refresh_token"])["access_token"]


@spec("conformance oidcc-refresh-token")
def test_discovery_lists_the_grant_that_is_given(op: World) -> None:
    document = op.http().get("/.well-known/openid-configuration").json

    assert "refresh_token" in document["grant_types_supported"]
    assert "offline_access" in document["scopes_supported"]
