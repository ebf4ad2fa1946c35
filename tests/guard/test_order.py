"""Two questions about one token, and answers that come in the wrong order.

A guard that was told no must not change its mind because an older yes arrives later.
"""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.guard import Guard, Refused
from idp.policies.model import Asks
from tests.support.issuer import Issuer, call, refusal, silent, wait_until
from tests.support.spec import spec

PATIENCE = 5.0


class LateAnswer:
    """The next answer of the issuer: true when it was asked, and on its way until we say so."""

    def __init__(self, issuer: Issuer) -> None:
        self.made, self.arrives = threading.Event(), threading.Event()
        self._issuer = issuer
        issuer.faults["/introspect"] = self._answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        del self._issuer.faults["/introspect"]
        self._issuer.asked["/introspect"] -= 1  # it is one question, and asked once more here
        answer = self._issuer.answer(request)
        self.made.set()
        assert self.arrives.wait(PATIENCE)
        return answer


class Caller:
    """Somebody whose call of the API takes as long as the late answer does."""

    def __init__(self, issuer: Issuer, guard: Guard, token: str, **more: Any) -> None:
        self._late = LateAnswer(issuer)
        self._came: list[Any] = []
        self._thread = threading.Thread(target=lambda: self._came.append(_call(guard, token, more)))
        self._thread.start()
        assert self._late.made.wait(PATIENCE)

    @property
    def outcome(self) -> Any:
        """What came of the call, now that the answer has arrived: access or a refusal."""
        self._late.arrives.set()
        self._thread.join(PATIENCE)
        return self._came[0]


def _call(guard: Guard, token: str, more: dict[str, Any]) -> Any:
    try:
        return call(guard, token, **more)
    except Refused as refused:
        return refused


@pytest.fixture
def keeping(issuer: Issuer) -> Iterator[Guard]:
    """A guard that takes an answer for good for a minute, and does not hear the feed."""
    issuer.faults["/feed"] = silent
    guard = issuer.guard(introspection_cache=60.0)
    yield guard
    guard.close()


def hears_the_feed(issuer: Issuer, guard: Guard) -> None:
    del issuer.faults["/feed"]
    guard.start()
    wait_until(lambda: guard.health()["fresh"])


@spec("C.4", "INT-04", "P4")
@pytest.mark.parametrize("kind", ["a signed token", "a handle"])
def test_a_yes_that_was_asked_for_before_a_no_is_none(
    issuer: Issuer, keeping: Guard, kind: str
) -> None:
    token = issuer.token(jti="mine") if kind == "a signed token" else issuer.handle(jti="mine")
    first = Caller(issuer, keeping, token)
    issuer.inactive.add("mine")
    told = refusal(keeping, token).error

    overtaken, later = first.outcome.error, refusal(keeping, token).error

    assert (told, overtaken, later) == ("invalid_token",) * 3


@spec("C.4", "RSG-12")
def test_a_no_is_final_whoever_would_say_yes_later(issuer: Issuer, keeping: Guard) -> None:
    token, handle = issuer.token(jti="mine"), issuer.handle(jti="mine")
    call(keeping, handle)
    issuer.time.pass_by(61)
    issuer.inactive.add("mine")
    refusal(keeping, token)
    refusal(keeping, handle)

    issuer.inactive.clear()
    hears_the_feed(issuer, keeping)

    for freshness in ("offline", "feed", "introspect"):
        assert refusal(keeping, token, freshness=freshness).error == "invalid_token"
    assert refusal(keeping, handle).error == "invalid_token"
    assert issuer.asked["/introspect"] == 3


@spec("C.4")
def test_a_no_at_one_route_counts_for_a_call_that_is_under_way_at_another(
    issuer: Issuer, keeping: Guard
) -> None:
    hears_the_feed(issuer, keeping)
    token = issuer.token(jti="mine", policies=["session_state"])
    first = Caller(issuer, keeping, token)

    issuer.inactive.add("mine")
    refusal(keeping, token, freshness="introspect")

    assert first.outcome.error == "invalid_token"


@spec("C.4")
def test_what_the_feed_tells_while_the_issuer_is_asked_counts(issuer: Issuer, guard: Guard) -> None:
    token = issuer.token()
    asking = Caller(issuer, guard, token, freshness="introspect")

    issuer.end("sid", "s1")
    wait_until(lambda: guard.health()["seq"] == 1)

    assert asking.outcome.error == "invalid_token"


@spec("C.4", "RSG-12")
@pytest.mark.parametrize("kind", ["a signed token", "a handle"])
def test_an_older_answer_does_not_take_the_place_of_a_newer_one(
    issuer: Issuer, keeping: Guard, kind: str
) -> None:
    issuer.more |= {"roles": ["editor"], "policies": ["session_state"]}
    token = issuer.token() if kind == "a signed token" else issuer.handle()
    first = Caller(issuer, keeping, token, roles=["editor"])
    issuer.more["roles"] = ["reader"]
    issuer.time.pass_by(1)
    assert call(keeping, token).roles == {"reader"}

    overtaken = first.outcome.roles

    assert (overtaken, call(keeping, token).roles) == ({"editor"}, {"reader"})
    assert issuer.asked["/introspect"] == 2


@spec("RSG-12", "P5")
@pytest.mark.parametrize("kind", ["a signed token", "a handle"])
def test_an_answer_is_as_old_as_its_question(issuer: Issuer, keeping: Guard, kind: str) -> None:
    token = issuer.token() if kind == "a signed token" else issuer.handle()
    slow = Caller(issuer, keeping, token)

    issuer.time.pass_by(59)
    assert slow.outcome.asked is Asks.PROVIDER
    call(keeping, token)
    kept = issuer.asked["/introspect"]
    issuer.time.pass_by(1)
    call(keeping, token)

    assert (kept, issuer.asked["/introspect"]) == (1, 2)


@spec("C.4", "P5")
def test_who_has_forgotten_a_no_takes_no_answer_that_is_older(issuer: Issuer) -> None:
    """Memory is bounded; what was forgotten is unknown, and unknown means no."""
    issuer.faults["/feed"] = silent
    guard = issuer.guard(most_tokens=1, introspection_cache=60.0)
    mine, other = issuer.token(jti="mine"), issuer.token(jti="other")
    first = Caller(issuer, guard, mine)
    issuer.inactive |= {"mine", "other"}
    refusal(guard, mine)
    refusal(guard, other)

    assert first.outcome.status == 503
    assert refusal(guard, mine).error == "invalid_token"
    guard.close()


@spec("C.4", "P5")
def test_handles_that_a_stranger_makes_up_make_nobody_forget(issuer: Issuer) -> None:
    issuer.faults["/feed"] = silent
    guard = issuer.guard(most_tokens=3)
    token = issuer.token(jti="mine")
    issuer.inactive.add("mine")
    refusal(guard, token)

    for number in range(9):
        assert refusal(guard, f"at_made-up-{number}").error == "invalid_token"

    assert refusal(guard, token, freshness="offline").error == "invalid_token"
    guard.close()


@spec("INT-04")
def test_who_goes_by_the_issuers_word_does_not_fall_back_on_the_tokens_own(
    issuer: Issuer, keeping: Guard
) -> None:
    """Somebody else's answer about another token comes in between; nobody gains a role by it."""
    token = issuer.token(roles=["owner"], policies=["session_state"])
    issuer.more["roles"] = ["reader"]
    first = Caller(issuer, keeping, token)
    issuer.more = {"jti": "another"}
    refusal(keeping, token, freshness="introspect")

    assert first.outcome.roles == {"reader"}
