"""A guard that follows the feed: what it believes, for how long, and what it does otherwise."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from idp.guard import Guard
from idp.policies.model import Asks
from tests.support.issuer import Issuer, call, refusal, says, silent, wait_until
from tests.support.spec import spec


@spec("P4", "RSG-12")
def test_a_token_is_judged_without_asking_anybody_until_its_session_ends(
    issuer: Issuer, guard: Guard
) -> None:
    token, other = issuer.token(), issuer.token(sid="s2", line="l2")
    assert call(guard, token).asked is Asks.FEED

    issuer.end("sid", "s1")

    wait_until(lambda: guard.health()["seq"] == 1)
    assert refusal(guard, token).error == "invalid_token"
    assert call(guard, other).asked is Asks.FEED
    assert issuer.asked["/introspect"] == 0


@spec("P4", "REV-03")
@pytest.mark.parametrize(
    ("kind", "subject"), [("sid", "s1"), ("line", "l1"), ("jti", "mine"), ("client", "rp")]
)
def test_whatever_a_token_descends_from_ends_it(
    issuer: Issuer, guard: Guard, kind: str, subject: str
) -> None:
    token = issuer.token(jti="mine")
    other = issuer.token(jti="other", sid="s2", line="l2", client_id="rp2")
    call(guard, token)

    issuer.end(kind, subject)

    wait_until(lambda: guard.health()["seq"] == 1)
    refusal(guard, token)
    call(guard, other)


@spec("CLK-04", "INT-06")
def test_signing_out_everywhere_ends_what_was_minted_before_and_nothing_after(
    issuer: Issuer, guard: Guard
) -> None:
    before, nameless = issuer.token(gen=3), issuer.token(gen=None)
    after, elsewhere = issuer.token(gen=4), issuer.token(gen=1, sub="bob")

    issuer.end("account", "ann", generation=4)

    wait_until(lambda: guard.health()["seq"] == 1)
    refusal(guard, before)
    refusal(guard, nameless)
    assert call(guard, after).asked is Asks.FEED
    assert call(guard, elsewhere).asked is Asks.FEED


def test_what_was_taken_back_is_good_again(issuer: Issuer, guard: Guard) -> None:
    """A client that was disabled and is enabled again."""
    token = issuer.token()
    issuer.end("client", "rp")
    wait_until(lambda: guard.health()["seq"] == 1)
    refusal(guard, token)

    issuer.end("client", "rp", within=-1)

    wait_until(lambda: guard.health()["seq"] == 2)
    assert call(guard, token).asked is Asks.FEED


@spec("P5")
def test_before_the_whole_feed_was_read_the_issuer_is_asked(issuer: Issuer) -> None:
    for number in range(30):
        issuer.end("sid", f"old{number}")
    issuer.end("sid", "s1")
    issuer.batch = 10
    whole = issuer.answer
    issuer.faults["/feed"] = lambda request: _first_part_only(issuer, whole, request)
    guard = issuer.guard()

    asked = call(guard, issuer.token(sid="s2")).asked
    wait_until(lambda: guard.health()["seq"] == 20)
    assert (asked, guard.health()["fresh"]) == (Asks.PROVIDER, False)

    del issuer.faults["/feed"]
    wait_until(lambda: guard.health()["fresh"])
    assert guard.health()["ended"] == 31
    refusal(guard, issuer.token(sid="s1"))
    guard.close()


def _first_part_only(
    issuer: Issuer, whole: Callable[[httpx.Request], httpx.Response], request: httpx.Request
) -> httpx.Response:
    if int(request.url.params.get("after", 0)) >= 20:
        return httpx.Response(503)
    fault = issuer.faults.pop("/feed")
    try:
        return whole(request)
    finally:
        issuer.faults["/feed"] = fault


@spec("RSG-11", "P5", "F-18")
def test_when_the_feed_falls_silent_the_issuer_is_asked_and_then_nobody_is_let_in(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token()
    issuer.faults["/feed"] = silent
    wait_until(lambda: guard.health()["trouble"])
    issuer.time.pass_by(2.9)
    assert call(guard, token).asked is Asks.FEED

    issuer.time.pass_by(0.2)
    assert call(guard, token).asked is Asks.PROVIDER

    issuer.faults["/introspect"] = silent
    refused = refusal(guard, token)
    assert (refused.status, refused.retry_after, refused.challenge) == (503, 1, None)
    assert call(guard, token, freshness="offline").asked is Asks.NOTHING


@spec("RSG-11")
def test_a_guard_that_was_in_the_dark_trusts_the_feed_again_when_it_speaks(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token()
    issuer.faults["/feed"] = silent
    wait_until(lambda: guard.health()["trouble"])
    issuer.time.pass_by(60)
    issuer.end("sid", "s1")
    del issuer.faults["/feed"]

    wait_until(lambda: guard.health()["fresh"])

    assert refusal(guard, token).error == "invalid_token"
    assert guard.staleness < 3


def test_the_shorter_of_two_silences_counts(issuer: Issuer) -> None:
    issuer.max_silence = 0.5
    guard = issuer.guard(max_silence=10)
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    issuer.faults["/feed"] = silent
    wait_until(lambda: guard.health()["trouble"])

    issuer.time.pass_by(0.6)

    assert not guard.health()["fresh"]
    guard.close()


@spec("F-18")
def test_a_feed_of_another_epoch_is_read_from_its_beginning(issuer: Issuer, guard: Guard) -> None:
    for number in range(3):
        issuer.end("sid", f"old{number}")
    wait_until(lambda: guard.health()["seq"] == 3)

    issuer.epoch, issuer.rows = "e2", []
    issuer.end("sid", "s1")

    wait_until(lambda: guard.health()["epoch"] == "e2" and guard.health()["fresh"])
    assert guard.health()["ended"] == 1
    refusal(guard, issuer.token())


@spec("F-18")
def test_a_hole_in_the_feed_is_noticed_and_the_feed_read_anew(issuer: Issuer, guard: Guard) -> None:
    issuer.end("sid", "old")
    wait_until(lambda: guard.health()["seq"] == 1)
    said = {"epoch": "e1", "from": 3, "to": 4, "head": 4, "rows": [[5, 9_999_999_999, None]]}
    said |= {"waited": 0, "policies": {"https://api.test/v1": []}, "max_silence": 3}
    issuer.faults["/feed"] = says(body=said)
    issuer.end("sid", "s1")
    wait_until(lambda: guard.health()["seq"] == 0)
    assert call(guard, issuer.token(sid="s2")) is not None

    del issuer.faults["/feed"]

    wait_until(lambda: guard.health()["seq"] == 2)
    refusal(guard, issuer.token())
    assert "after" not in issuer.polls[-1] or issuer.polls[-1]["after"] == "2"


GOOD = {"epoch": "e1", "from": 0, "to": 0, "head": 0, "rows": [], "waited": 0, "max_silence": 3}


@spec("P5", "F-18")
@pytest.mark.parametrize(
    "lie",
    [
        None,
        [],
        {"epoch": 1},
        {"epoch": ""},
        {"rows": None},
        {"rows": [[1, 2]]},
        {"rows": [[True, 9_999_999_999, None]]},
        {"rows": [[1.0, 9_999_999_999, None]]},
        {"rows": [[1 << 60, 9_999_999_999, None]]},
        {"rows": [["1", 9_999_999_999, None]]},
        {"rows": [[1, 9_999_999_999, "2"]]},
        {"from": -1},
        {"to": 1},
        {"from": 1},
        {"head": None},
        {"head": True},
        {"waited": "1"},
        {"waited": -1},
        {"max_silence": 0},
        {"max_silence": None},
        {"max_silence": True},
        {"policies": None},
        {"policies": {"https://other.test": []}},
        {"policies": {"https://api.test/v1": "sso"}},
        {"policies": {"https://api.test/v1": [1]}},
    ],
)
def test_an_answer_that_is_no_feed_is_not_believed(issuer: Issuer, lie: Any) -> None:
    said = GOOD | {"policies": {"https://api.test/v1": []}}
    issuer.faults["/feed"] = says(body=said | lie if isinstance(lie, dict) else lie)
    guard = issuer.guard()

    assert call(guard, issuer.token()).asked is Asks.PROVIDER

    wait_until(lambda: issuer.asked["/feed"] >= 2)
    assert not guard.health()["fresh"]
    guard.close()


def test_an_issuer_that_claims_to_have_waited_longer_than_it_did_gains_nothing(
    issuer: Issuer,
) -> None:
    said = GOOD | {"policies": {"https://api.test/v1": []}, "waited": 1_000_000}
    issuer.faults["/feed"] = says(body=said)
    guard = issuer.guard()
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    issuer.faults["/feed"] = silent
    wait_until(lambda: guard.health()["trouble"])

    issuer.time.pass_by(3.1)

    assert not guard.health()["fresh"]
    guard.close()


@spec("CLK-02")
@spec("F-09")
def test_a_clock_that_leaps_ahead_and_back_makes_no_guard_forget(
    issuer: Issuer, guard: Guard
) -> None:
    token = issuer.token()
    issuer.end("sid", "s1")
    wait_until(lambda: guard.health()["seq"] == 1)
    now = issuer.time.now

    issuer.time.now = now.replace(year=now.year + 1)
    polls = len(issuer.polls)
    wait_until(lambda: len(issuer.polls) > polls + 2)
    issuer.time.now = now

    assert refusal(guard, token).error == "invalid_token"


def test_what_can_be_named_no_more_is_forgotten(issuer: Issuer, guard: Guard) -> None:
    for number in range(50):
        issuer.end("sid", f"s{number}", within=100)
        issuer.end("account", f"a{number}", generation=2, within=100)
    wait_until(lambda: guard.health()["ended"] == 100)

    issuer.time.pass_by(300)

    wait_until(lambda: guard.health()["ended"] == 0)


def test_a_poll_says_how_far_the_guard_has_come_and_who_it_is(issuer: Issuer, guard: Guard) -> None:
    issuer.end("sid", "s1")
    wait_until(lambda: issuer.polls[-1].get("after") == "1")

    names = {poll["guard"] for poll in issuer.polls}

    assert "after" not in issuer.polls[0]
    assert issuer.polls[-1]["epoch"] == "e1"
    assert len(names) == 1
