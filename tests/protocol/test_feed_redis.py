"""The feed in Redis: fast while it is there, and nothing is lost when it is not."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as driver

from idp.guard.replica import News, news
from idp.policies.feed import FIELD, JTI, STREAM, key
from idp.store import db
from tests.support.services import Redis
from tests.support.spec import spec
from tests.support.world import World, make_world


@pytest.fixture
def fast(tmp_path: Path, redis: Redis) -> Iterator[World]:
    """A provider that has a Redis."""
    made = make_world(tmp_path, IDP_REDIS_URL=redis.url, IDP_SIGN_OUT__STRICT="true")
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def ends(world: World, *names: str) -> float:
    """Tokens are taken back; how many seconds it took."""
    began = time.monotonic()
    with world.app.app_context():
        world.op.sign_outs.feed.put(JTI, names, world.clock.now, world.clock.now)
        db.session.commit()
    return time.monotonic() - began


def stream(world: World, redis: Redis) -> list[tuple[str, News]]:
    """What is in Redis, as a guard reads it."""
    epoch = world.op.sign_outs.feed.read(None, None).epoch
    entries: Any = driver.Redis.from_url(redis.url).xrange(STREAM.format(epoch=epoch))
    told = [(name.decode(), json.loads(entry[FIELD.encode()])) for name, entry in entries]
    assert all(piece["strict"] is True for _, piece in told)
    return [(name, news({"epoch": epoch, "head": piece["to"], **piece})) for name, piece in told]


def known(world: World) -> list[int]:
    return [row[0] for row in world.op.sign_outs.feed.read(None, None).rows]


@spec("P4")
def test_each_batch_is_in_the_stream_under_the_number_of_its_last_row(
    fast: World, redis: Redis
) -> None:
    ends(fast, "a", "b")
    ends(fast, "c")

    first, second = stream(fast, redis)

    assert (first[0], first[1].start, first[1].to) == ("2-0", 0, 2)
    assert (second[0], second[1].start, second[1].to) == ("3-0", 2, 3)
    assert [row[0] for _, piece in (first, second) for row in piece.rows] == known(fast)


def test_the_stream_goes_by_itself(fast: World, redis: Redis) -> None:
    ends(fast, "a")

    epoch = fast.op.sign_outs.feed.read(None, None).epoch
    left: Any = driver.Redis.from_url(redis.url).ttl(STREAM.format(epoch=epoch))

    assert 86_000 < left <= 86_400


@spec("F-08", "P2")
def test_a_redis_that_forgets_everything_loses_nothing(fast: World, redis: Redis) -> None:
    ends(fast, "a")
    driver.Redis.from_url(redis.url).flushall()
    ends(fast, "b")

    ((name, piece),) = stream(fast, redis)

    assert (name, piece.start, piece.to) == ("2-0", 1, 2)
    assert known(fast) == [key(JTI, "a"), key(JTI, "b")]


@spec("F-08", "P2")
def test_a_redis_that_does_not_answer_delays_one_sign_out_and_no_more(
    fast: World, redis: Redis
) -> None:
    ends(fast, "a")

    with redis.paused():
        first, second = ends(fast, "b"), ends(fast, "c")
        heard = known(fast)
    time.sleep(1.1)
    ends(fast, "d")

    assert first < 2
    assert second < 0.25
    assert heard == [key(JTI, name) for name in "abc"]
    assert stream(fast, redis)[-1][1].start == 3
