"""The module oidcc-refresh-token, and what a client that renews must find (conformance B.1.1)."""

import pytest

from tests.conformance import checks
from tests.conformance.checks import Json, bits
from tests.conformance.conftest import Registers
from tests.conformance.marks import module
from tests.conformance.party import RelyingParty
from tests.conformance.plans import Variant
from tests.conformance.registration import grants
from tests.support.spec import spec

SCOPE = "openid offline_access"


def renewing(registers: Registers, response_type: str) -> RelyingParty:
    return registers(grant_types=[*grants(response_type), "refresh_token"])


@pytest.fixture
def rp(registers: Registers, variant: Variant) -> RelyingParty:
    return renewing(registers, variant.response_type)


def refresh(rp: RelyingParty, token: str, **more: str) -> Json:
    rp.world.clock.advance(seconds=1)
    return checks.token_response(
        rp.asks_token(grant_type="refresh_token", refresh_token=token, **more)
    )


@module("oidcc-refresh-token")
@spec("R-TK-1")
@pytest.mark.parametrize("more", [{"scope": SCOPE}, {}])
def test_refresh_token(rp: RelyingParty, more: dict[str, str]) -> None:
    given, first = rp.signs_in(scope=SCOPE, prompt="consent")

    renewed = refresh(rp, given["refresh_token"], **more)

    assert given["refresh_token"].isascii()
    assert given["refresh_token"].isprintable()
    assert bits(given["refresh_token"]) > 128
    assert renewed["access_token"] != given["access_token"]
    assert rp.userinfo(renewed["access_token"]).json["sub"] == first["sub"]


@module("oidcc-refresh-token")
@spec("Core section 12.2")
def test_a_new_id_token_tells_of_the_same_sign_in(rp: RelyingParty) -> None:
    given, first = rp.signs_in(scope=SCOPE, prompt="consent")

    renewed = refresh(rp, given["refresh_token"])

    second = rp.identity(renewed["id_token"], fresh=False)
    for name in ("iss", "sub", "aud", "azp", "auth_time"):
        assert second.get(name) == first.get(name)
    assert second["iat"] > first["iat"]
    assert second.get("nonce", first["nonce"]) == first["nonce"]


@module("oidcc-refresh-token")
@spec("R-TK-2")
def test_another_client_cannot_use_a_refresh_token(rp: RelyingParty, registers: Registers) -> None:
    other = renewing(registers, rp.variant.response_type)
    given, _ = other.signs_in(scope=SCOPE, prompt="consent")

    answer = rp.asks_token(grant_type="refresh_token", refresh_token=given["refresh_token"])

    rp.refused(answer, "invalid_grant")
    assert refresh(other, given["refresh_token"])["access_token"]


@module("oidcc-refresh-token")
def test_discovery_lists_the_grant_that_is_given(rp: RelyingParty) -> None:
    assert "refresh_token" in rp.document["grant_types_supported"]
    assert "offline_access" in rp.document["scopes_supported"]
