"""What an app is told of the end of its refresh token, and that it is so."""

from collections.abc import Iterator

import pytest

from idp.store import db
from tests.support.spec import spec
from tests.support.world import Rp, World, make_world

DRAFT = "draft-ietf-oauth-refresh-token-expiration"
IDLE, ABSOLUTE, SESSION = 1000, 5000, 3000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(
        tmp_path_factory.mktemp("expiry"),
        IDP_LIFETIMES__REFRESH_IDLE=str(IDLE),
        IDP_LIFETIMES__REFRESH_ABSOLUTE=str(ABSOLUTE),
        IDP_LIFETIMES__SESSION_IDLE=str(SESSION),
        IDP_LIFETIMES__SESSION_ABSOLUTE=str(SESSION),
    )
    made.person()
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def told(given: dict[str, int]) -> tuple[int, int]:
    return given["refresh_token_timeout"], given["authorization_expires_in"]


@spec(DRAFT, "RFT-07", "P8")
def test_each_refresh_token_says_how_long_it_will_do(world: World) -> None:
    rp = world.rp()
    first = world.browser().tokens(rp, scope="openid offline_access", prompt="consent")

    world.clock.advance(seconds=900)
    second = rp.refresh(first["refresh_token"]).json

    assert told(first) == (IDLE, ABSOLUTE)
    assert told(second) == (IDLE, ABSOLUTE - 900)


@spec(DRAFT, "RFT-07")
@pytest.mark.parametrize(("early", "status"), [(1, 200), (0, 400)])
def test_it_is_good_until_then_and_no_longer(world: World, early: int, status: int) -> None:
    rp = world.rp()
    given = world.browser().tokens(rp, scope="openid offline_access", prompt="consent")

    world.clock.advance(seconds=given["refresh_token_timeout"] - early)

    assert rp.refresh(given["refresh_token"]).status_code == status


@spec(DRAFT, "RFT-07")
def test_towards_the_end_both_are_the_same(world: World) -> None:
    rp = world.rp()
    given = world.browser().tokens(rp, scope="openid offline_access", prompt="consent")
    for _ in range(5):
        world.clock.advance(seconds=900)
        given = rp.refresh(given["refresh_token"]).json

    assert told(given) == (500, 500)


@spec(DRAFT, "P8")
def test_what_hangs_under_a_session_ends_with_it(world: World) -> None:
    rp, browser = world.rp(), world.browser()
    browser.sign_in()
    world.clock.advance(seconds=2500)

    given = browser.tokens(rp)

    assert told(given) == (500, 500)
    world.clock.advance(seconds=500)
    assert rp.refresh(given["refresh_token"]).status_code == 400


@spec(DRAFT)
def test_where_there_is_no_refresh_token_nothing_is_said_of_one(world: World) -> None:
    rp: Rp = world.rp(grant_types=["authorization_code"])

    given = world.browser().tokens(rp)

    assert not {"refresh_token", "refresh_token_timeout", "authorization_expires_in"} & set(given)
