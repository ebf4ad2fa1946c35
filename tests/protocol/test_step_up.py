"""Step-up (RFC 9470): a sign-in that is too old or too weak is not made better by asking again."""

import pytest

from tests.protocol.test_token import claims
from tests.support.exchange import Chain
from tests.support.spec import spec
from tests.support.world import World


@pytest.fixture
def chain(world: World, alice: str) -> Chain:
    return Chain.of(world)


def signed_in_at(token: str) -> object:
    return claims(token)["auth_time"]


@spec("RFC 9470 section 5", "STP-01", "GHSA-hp74-gm6m-2qm5")
def test_an_old_session_mints_no_fresh_sign_in(chain: Chain) -> None:
    began = int(chain.world.clock.now.timestamp())
    old = chain.tokens()
    chain.world.clock.advance(minutes=4)

    quiet = chain.browser.authorize(chain.app, max_age="60", prompt="none")
    refreshed = chain.app.refresh(old["refresh_token"]).json["access_token"]
    exchanged = chain.exchanged(old["access_token"])
    silent = chain.browser.tokens(chain.app, scope="openid notes:read")["access_token"]

    assert "error=login_required" in quiet.headers["Location"]
    assert {signed_in_at(t) for t in (refreshed, exchanged, silent)} == {began}


@spec("RFC 9470 section 5", "RFC 9470 section 6.1", "STP-01")
def test_who_signs_in_again_is_given_a_fresh_one(chain: Chain) -> None:
    chain.world.clock.advance(minutes=4)

    page = chain.browser.authorize(chain.app, max_age="60", acr_values="pwd")
    code = chain.browser.code(chain.app, max_age="60", acr_values="pwd", scope="openid notes:read")
    token = chain.app.redeem(code, chain.browser.verifier).json["access_token"]

    assert page.headers["Location"].startswith("/sign-in")
    assert signed_in_at(token) == int(chain.world.clock.now.timestamp())
    assert claims(token)["acr"] == "pwd"


@spec("RFC 9470 section 5", "STP-01", "STP-02")
def test_a_password_is_no_passkey_however_often_it_is_typed(chain: Chain) -> None:
    essential = '{"id_token":{"acr":{"essential":true,"values":["phr"]}}}'

    answer = chain.browser.authorize(chain.app, claims=essential, prompt="none")
    plain = chain.browser.tokens(chain.app, scope="openid notes:read", acr_values="pwd")

    assert "error=" in answer.headers["Location"]
    assert "code=" not in answer.headers["Location"]
    assert claims(plain["access_token"])["acr"] == "pwd"
