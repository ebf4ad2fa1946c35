"""The SSF transmitter plan, delivery by poll (B.12.1; RFC 8936)."""

import threading
import time

import pytest

from idp.domain import unit, upkeep
from tests.conformance.marks import module
from tests.conformance.receiver import VERIFICATION, Receiver, fetched, receiving_client
from tests.support.spec import spec
from tests.support.world import World


@pytest.fixture
def stream(receiver: Receiver) -> Receiver:
    """A receiver that has made a stream."""
    receiver.creates()
    return receiver


def verified(receiver: Receiver, *states: str | None) -> None:
    """Some verification events, none of them too soon after the other."""
    for state in states:
        receiver.verifies(state)
        receiver.world.clock.advance(seconds=2)


@module("openid-ssf-transmitter-stream-verification-poll-only")
@spec("RFC 8936 section 2.4")
@spec("OpenID Shared Signals Framework 1.0 section 8.1.4", "RFC 8417 section 2.2")
def test_a_verification_event_waits_until_it_is_fetched(stream: Receiver) -> None:
    stream.verifies("a state nobody guesses")

    (event,) = stream.fetched()

    assert event["events"] == {VERIFICATION: {"state": "a state nobody guesses"}}
    assert event["sub_id"] == {"format": "opaque", "id": stream.stream["stream_id"]}


@module("openid-ssf-transmitter-stream-verification-poll-only")
def test_a_verification_without_a_state_says_none(stream: Receiver) -> None:
    stream.verifies()

    assert stream.fetched()[0]["events"] == {VERIFICATION: {}}


@module("openid-ssf-transmitter-stream-verification-poll-and-ack")
@spec("RFC 8936 section 2.4.4")
def test_what_was_heard_goes_and_what_was_not_comes_again(stream: Receiver) -> None:
    verified(stream, "one", "two")
    first, second = stream.fetched()

    again = stream.fetched(ack=[first["jti"]])
    none = stream.fetched(ack=[second["jti"]])

    assert [event["jti"] for event in again] == [second["jti"]]
    assert again[0] == second
    assert none == []


@module("openid-ssf-transmitter-stream-verification-ack-only")
@spec("RFC 8936 section 2.4.2")
def test_who_only_says_what_was_heard_is_given_nothing(stream: Receiver) -> None:
    verified(stream, "one", "two")
    first, second = stream.fetched()

    given = stream.polls(ack=[first["jti"]], maxEvents=0)

    assert given["sets"] == {}
    assert [event["jti"] for event in stream.fetched()] == [second["jti"]]


@spec("RFC 8936 section 2.4")
def test_a_few_at_a_time_and_the_word_that_there_are_more(stream: Receiver) -> None:
    verified(stream, "one", "two", "three")

    given = stream.polls(maxEvents=2)
    rest = stream.polls(maxEvents=2, ack=list(given["sets"]))

    assert (len(given["sets"]), given["moreAvailable"]) == (2, True)
    assert len(rest["sets"]) == 1
    assert "moreAvailable" not in rest


@spec("RFC 8936 section 2.4.5", "RFC 8936 section 2.6")
def test_an_event_the_receiver_cannot_take_is_not_sent_again(stream: Receiver) -> None:
    stream.verifies()
    (event,) = stream.fetched()

    errors = {event["jti"]: {"err": "invalid_key", "description": "no key of yours\n"}}

    assert stream.fetched(setErrs=errors) == []
    with stream.world.app.app_context():
        newest = stream.world.op.sign_outs.deliveries.newest(limit=1)[0]
        assert (newest.state, newest.last_answer) == ("refused", "refused: invalid_key")


@spec("RFC 8936 section 2.4.4")
def test_words_about_events_of_others_change_nothing(op: World, stream: Receiver) -> None:
    stream.verifies()
    (event,) = stream.fetched()
    rp = receiving_client(op)
    other = Receiver(op, rp, fetched(rp))
    other.creates()

    other.polls(ack=[event["jti"], "nobodys"], setErrs={event["jti"]: {"err": "invalid_key"}})
    foreign = other.call_at(stream.stream["delivery"]["endpoint_url"], json={})

    assert foreign.status_code == 404
    assert [one["jti"] for one in stream.fetched()] == [event["jti"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"maxEvents": -1},
        {"maxEvents": True},
        {"maxEvents": "5"},
        {"returnImmediately": "yes"},
        {"ack": "all"},
        {"ack": [1]},
        {"setErrs": []},
        {"setErrs": {"x": "bad"}},
        {"ack": ["x"] * 1001},
    ],
)
@spec("RFC 8936 section 2.4.1")
def test_a_poll_that_says_nonsense_is_refused(stream: Receiver, wrong: dict[str, object]) -> None:
    url = stream.stream["delivery"]["endpoint_url"]

    answer = stream.call_at(url, json={"returnImmediately": True} | wrong)

    assert answer.status_code == 400


@spec("RFC 8936 section 2.2")
def test_a_poll_waits_for_news_for_a_while(stream: Receiver) -> None:
    said: list[object] = []
    waiting = threading.Thread(target=lambda: said.append(stream.fetched(returnImmediately=False)))
    began = time.monotonic()
    waiting.start()
    time.sleep(0.3)
    stream.verifies("news")
    waiting.join(10)

    assert [event["events"] for event in said[0]] == [{VERIFICATION: {"state": "news"}}]  # type: ignore[attr-defined]
    assert time.monotonic() - began < 5


@spec("OpenID Shared Signals Framework 1.0 section 8.1.2")
def test_what_happens_while_a_stream_is_held_back_is_told_later(stream: Receiver) -> None:
    name = stream.stream["stream_id"]
    stream.call("status_endpoint", json={"stream_id": name, "status": "paused"})
    stream.verifies("meanwhile")

    held = stream.fetched()
    stream.call("status_endpoint", json={"stream_id": name, "status": "enabled"})

    assert held == []
    assert [event["events"] for event in stream.fetched()] == [
        {VERIFICATION: {"state": "meanwhile"}}
    ]


@spec("OpenID Shared Signals Framework 1.0 section 8.1.2")
def test_a_disabled_stream_forgets_what_waits(stream: Receiver) -> None:
    name = stream.stream["stream_id"]
    stream.verifies("before")
    for status in ("disabled", "enabled"):
        stream.call("status_endpoint", json={"stream_id": name, "status": status})

    assert stream.fetched() == []


@spec("OpenID Shared Signals Framework 1.0 section 8.1.4.2")
def test_a_stream_is_not_verified_twice_in_a_second(stream: Receiver) -> None:
    stream.verifies()

    body = {"stream_id": stream.stream["stream_id"]}
    answer = stream.call("verification_endpoint", json=body)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert len(stream.fetched()) == 1


@spec("RFC 8936 section 2.4")
def test_events_that_nobody_fetches_are_given_up(stream: Receiver) -> None:
    stream.verifies()
    stream.world.clock.advance(hours=25)
    stream.token = fetched(stream.rp)
    with stream.world.app.app_context():
        upkeep.sweep(stream.world.op, stream.world.clock.now)
        unit.commit()

    assert stream.fetched() == []
