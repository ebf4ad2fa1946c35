"""allow_list while Redis does not answer: nothing is said to be over that is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.domain.receipts import CLOSING, ENDED
from idp.domain.sign_out import Because
from idp.store import db
from tests.support.services import Redis
from tests.support.spec import spec
from tests.support.world import API, World, make_world

PERSON = Because("signed_out", "person")


@pytest.fixture
def listed(tmp_path: Path, redis: Redis) -> Iterator[World]:
    """A provider whose guards can read the list in Redis."""
    world = make_world(tmp_path, IDP_REDIS_URL=redis.url)
    world.person()
    with world.app.app_context():
        world.op.resources.add(API, "API", {"use": "Use it"}, ("allow_list",), world.clock.now)
        db.session.commit()
    yield world
    with world.app.app_context():
        db.session.remove()
        db.engine.dispose()


def access_on_the_receipt(world: World) -> set[str]:
    """Sign out everywhere; what is said of the access tokens."""
    with world.app.app_context():
        op = world.op
        account = op.accounts.find_by_username("alice")
        assert account is not None
        receipt = op.sign_outs.everywhere(account.id, PERSON, world.clock.now)
        db.session.commit()
        assert receipt is not None
        lines = op.sign_outs.receipts.lines(receipt.id)
        return {line.state for line in lines if line.kind == "access"}


@spec("P4", "P8")
def test_a_token_that_was_struck_from_the_copy_is_over_at_once(listed: World) -> None:
    listed.browser().tokens(listed.rp(), resource=API, scope="openid use")

    assert access_on_the_receipt(listed) == {ENDED}


@spec("P4", "P8", "F-08")
def test_a_token_that_could_not_be_struck_is_over_when_the_guards_have_heard(
    listed: World, redis: Redis
) -> None:
    """A guard that reaches Redis again a moment later finds it there, until the feed tells."""
    listed.browser().tokens(listed.rp(), resource=API, scope="openid use")

    with redis.paused():
        said = access_on_the_receipt(listed)

    assert said == {CLOSING}
