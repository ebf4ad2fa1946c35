"""The main road: sign in, redeem, userinfo, refresh, revoke."""

from tests.support.spec import spec
from tests.support.world import Rp, World


@spec("OpenID Connect Core section 3.1", "RFC 6749 section 4.1")
def test_a_person_signs_in_and_the_app_learns_who_it_is(world: World, alice: str, rp: Rp) -> None:
    tokens = world.browser().tokens(rp, scope="openid profile email", nonce="n-0S6")

    who = world.userinfo(tokens["access_token"])

    assert who.status_code == 200
    assert who.json["sub"] == alice
    assert who.json["email"] == "alice@example.com"


@spec("RFC 6749 section 6", "RFT-01")
def test_a_refresh_gives_new_tokens_and_the_old_one_is_dead(
    world: World, alice: str, rp: Rp
) -> None:
    first = world.browser().tokens(rp)

    second = rp.refresh(first["refresh_token"])
    again = rp.refresh(first["refresh_token"])

    assert second.status_code == 200
    assert again.status_code == 400
    assert again.json["error"] == "invalid_grant"
