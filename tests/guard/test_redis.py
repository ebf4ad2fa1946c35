"""A guard with Redis: faster news, proofs and lists that processes share; never less safe."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis as client
from redis import Redis as Client

from idp.guard import Guard, Refused
from idp.policies.model import Asks
from tests.guard.test_proofs import Ann
from tests.support.issuer import Issuer, call, refusal, silent, wait_until
from tests.support.services import Redis
from tests.support.spec import spec


@pytest.fixture
def shared(redis: Redis) -> Iterator[Client]:
    """An empty Redis."""
    found = client.Redis.from_url(redis.url)
    found.flushall()
    yield found
    found.close()


@pytest.fixture
def guard(issuer: Issuer, redis: Redis, shared: Client) -> Iterator[Guard]:
    guard = issuer.guard(redis_url=redis.url)
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    yield guard
    guard.close()


def publish(issuer: Issuer, shared: Client, start: int, *, strict: bool = False) -> None:
    """Say in the stream what the feed says after `start`."""
    to = len(issuer.rows)
    told = {"from": start, "to": to, "rows": issuer.rows[start:], "strict": strict}
    shared.xadd(f"idp:feed:{issuer.epoch}", {"news": json.dumps(told)}, id=f"{to}-0")


@spec("P4")
def test_news_in_the_stream_end_a_token_while_the_issuer_says_nothing(
    issuer: Issuer, guard: Guard, shared: Client
) -> None:
    token = issuer.token()
    assert call(guard, token).asked is Asks.FEED
    issuer.faults["/feed"] = silent

    for number in range(3):
        issuer.end("sid", f"s{number}")
        publish(issuer, shared, number)

    wait_until(lambda: guard.health()["seq"] == 3)
    assert refusal(guard, token).error == "invalid_token"
    assert call(guard, issuer.token(sid="s9")).asked is Asks.FEED


@spec("P5")
def test_redis_alone_is_no_reason_to_believe(issuer: Issuer, guard: Guard, shared: Client) -> None:
    issuer.faults["/feed"] = silent
    issuer.end("sid", "other")
    publish(issuer, shared, 0)
    wait_until(lambda: guard.health()["seq"] == 1)

    issuer.time.pass_by(3.1)

    assert call(guard, issuer.token()).asked is Asks.PROVIDER


@spec("F-08", "F-18")
def test_what_the_stream_has_lost_the_issuer_tells(
    issuer: Issuer, guard: Guard, shared: Client
) -> None:
    token = issuer.token()
    issuer.end("sid", "s1")
    issuer.end("sid", "s2")

    publish(issuer, shared, 1)

    wait_until(lambda: guard.health()["seq"] == 2)
    assert refusal(guard, token).error == "invalid_token"


@spec("F-18", "P5")
@pytest.mark.parametrize(
    "entry",
    [
        {"other": "x"},
        {"news": "no json"},
        {"news": "[]"},
        {"news": json.dumps({"from": 0, "to": 9, "rows": [[1, 2]]})},
        {"news": json.dumps({"from": 7, "to": 9, "rows": []})},
        {"news": json.dumps({"from": 0, "to": 9, "head": 12, "rows": []})},
    ],
)
def test_a_stream_that_lies_is_not_believed_and_the_feed_is_followed_all_the_same(
    issuer: Issuer, guard: Guard, shared: Client, entry: dict[str, str]
) -> None:
    shared.xadd("idp:feed:e1", entry, id="9-0")  # type: ignore[arg-type]
    wait_until(lambda: len(issuer.polls) > 2)
    polls = len(issuer.polls)
    issuer.end("sid", "s1")

    wait_until(lambda: guard.health()["seq"] == 1)

    assert refusal(guard, issuer.token()).error == "invalid_token"
    assert len(issuer.polls) < polls + 100


@spec("F-08")
def test_without_redis_the_feed_is_followed_over_https(
    issuer: Issuer, guard: Guard, redis: Redis
) -> None:
    with redis.paused():
        wait_until(lambda: guard.health()["trouble"] or len(issuer.polls) > 4)
        issuer.end("sid", "s1")
        wait_until(lambda: guard.health()["seq"] == 1)

        assert refusal(guard, issuer.token()).error == "invalid_token"


def test_a_strict_sign_out_is_confirmed_at_once(
    issuer: Issuer, guard: Guard, shared: Client
) -> None:
    issuer.end("sid", "s1")
    publish(issuer, shared, 0, strict=True)

    wait_until(lambda: issuer.polls[-1].get("after") == "1")


class TestTheList:
    """allow_list: a token is good while it is listed; who is in doubt asks the issuer."""

    def test_what_is_listed_is_good_and_what_is_not_is_asked_about(
        self, issuer: Issuer, guard: Guard, shared: Client
    ) -> None:
        token = issuer.token(policies=["allow_list"], jti="mine")
        assert call(guard, token).asked is Asks.PROVIDER

        shared.set("idp:listed:mine", "1")
        assert call(guard, token).asked is Asks.LIST

        shared.set("idp:listed:mine", "0")
        issuer.inactive.add("mine")
        assert refusal(guard, token).error == "invalid_token"

    def test_the_feed_counts_even_for_what_is_listed(
        self, issuer: Issuer, guard: Guard, shared: Client
    ) -> None:
        shared.set("idp:listed:mine", "1")
        issuer.end("account", "ann", generation=9)
        publish(issuer, shared, 0)
        wait_until(lambda: guard.health()["seq"] == 1)

        token = issuer.token(policies=["allow_list"], jti="mine")

        assert refusal(guard, token).error == "invalid_token"

    @spec("F-08", "P5")
    def test_a_list_that_does_not_answer_is_left_alone_and_the_issuer_asked(
        self, issuer: Issuer, guard: Guard, redis: Redis
    ) -> None:
        token = issuer.token(policies=["allow_list"])
        with redis.paused():
            assert call(guard, token).asked is Asks.PROVIDER
            assert call(guard, token).asked is Asks.PROVIDER

            issuer.faults["/introspect"] = silent
            assert refusal(guard, token).status == 503


class TestProofs:
    @spec("DPO-05", "RFC 9449 section 11.1")
    def test_a_proof_is_good_once_in_all_processes(
        self, issuer: Issuer, guard: Guard, redis: Redis
    ) -> None:
        ann, other = Ann(issuer), issuer.guard(redis_url=redis.url)
        proof = ann.proof()

        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(lambda n: ann.calls((guard, other)[n % 2], proof), range(16)))

        assert sum(not isinstance(each, Refused) for each in found) == 1
        other.close()

    @spec("DPO-06", "F-08", "P5")
    def test_without_the_memory_nobody_who_proves_a_key_is_let_in(
        self, issuer: Issuer, guard: Guard, redis: Redis
    ) -> None:
        ann = Ann(issuer)
        with redis.paused():
            assert ann.calls(guard, ann.proof()).status == 503
