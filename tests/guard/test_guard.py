"""The guard and the provider: what one says, the other does."""

from collections.abc import Iterator

import httpx
import pytest

from idp.domain.sign_out import Because
from idp.guard import Guard
from idp.policies.model import Asks
from idp.store import db
from tests.support.issuer import call, refusal
from tests.support.spec import spec
from tests.support.world import API, World


@pytest.fixture
def scene(world: World) -> Iterator[tuple[World, Guard, str, str]]:
    """An API behind a guard that talks to the provider, a token for it, and one for another."""
    api = world.api(API, **{"notes:read": "Read"})
    world.api("https://other.test", **{"other:read": "Read"})
    world.person()
    rp = world.rp()
    http = httpx.Client(transport=httpx.WSGITransport(app=world.app))
    guard = Guard(
        "https://op.test",
        API,
        client_id=api.client_id,
        client_secret=api.secret,
        http=http,
        clock=world.clock,
    )
    mine = world.browser().tokens(rp, scope="openid notes:read")["access_token"]
    other = world.browser().tokens(rp, scope="openid other:read")["access_token"]
    yield world, guard, mine, other
    guard.close()
    http.close()


@spec("RFC 9068 section 4", "RSG-03", "RSG-05")
def test_a_token_of_the_provider_is_good_at_its_own_api_and_nowhere_else(
    scene: tuple[World, Guard, str, str],
) -> None:
    _, guard, mine, other = scene

    assert call(guard, mine, freshness="introspect").asked is Asks.PROVIDER
    assert refusal(guard, other).error == "invalid_token"


@spec("INT-04", "P4", "RSG-12")
def test_after_a_sign_out_the_same_token_is_refused_at_once(
    scene: tuple[World, Guard, str, str],
) -> None:
    world, guard, mine, _ = scene
    call(guard, mine, freshness="introspect")

    with world.app.app_context():
        who = world.op.accounts.list()[0].id
        world.op.sign_outs.everywhere(who, Because("test", "test"), world.clock.now)
        db.session.commit()

    assert refusal(guard, mine, freshness="introspect").error == "invalid_token"


@spec("RSG-09", "V10.3.3")
def test_a_client_that_acts_for_itself_is_nobodys_person(
    scene: tuple[World, Guard, str, str],
) -> None:
    world, guard, mine, _ = scene
    robot = world.machine(grant_types=["client_credentials"])
    answer = robot.post("/token", grant_type="client_credentials", scope="notes:read", resource=API)

    token = answer.json["access_token"]

    assert call(guard, token).sub == robot.client_id
    assert call(guard, mine).sub != robot.client_id
