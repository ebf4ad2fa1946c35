"""The SSF transmitter plan, delivery by poll (B.12.1; RFC 8936)."""

import threading
import time

import pytest

from tests.conformance.receiver import VERIFICATION, Receiver, receiving_client
from tests.support.spec import spec
from tests.support.world import World

PLAN = "conformance ssf-transmitter"


@pytest.fixture
def receiver(op: World) -> Receiver:
    made = Receiver(op, receiving_client(op))
    made.creates()
    return made


def verified(receiver: Receiver, *states: str | None) -> None:
    """Some verification events, none of them too soon after the other."""
    for state in states:
        receiver.verifies(state)
        receiver.world.clock.advance(seconds=2)


@spec(f"{PLAN} stream-verification-poll-only", "RFC 8936 section 2.4")
@spec("OpenID Shared Signals Framework 1.0 section 8.1.4", "RFC 8417 section 2.2")
def test_a_verification_event_waits_until_it_is_fetched(receiver: Receiver) -> None:
    receiver.verifies("a state nobody guesses")

    (event,) = receiver.fetched()

    assert event["events"] == {VERIFICATION: {"state": "a state nobody guesses"}}
    assert event["sub_id"] == {"format": "opaque", "id": receiver.stream["stream_id"]}


@spec(f"{PLAN} stream-verification-poll-only")
def test_a_verification_without_a_state_says_none(receiver: Receiver) -> None:
    receiver.verifies()

    assert receiver.fetched()[0]["events"] == {VERIFICATION: {}}


@spec(f"{PLAN} stream-verification-poll-and-ack", "RFC 8936 section 2.4.4")
def test_what_was_heard_goes_and_what_was_not_comes_again(receiver: Receiver) -> None:
    verified(receiver, "one", "two")
    first, second = receiver.fetched()

    again = receiver.fetched(ack=[first["jti"]])
    none = receiver.fetched(ack=[second["jti"]])

    assert [event["jti"] for event in again] == [second["jti"]]
    assert again[0] == second
    assert none == []


@spec(f"{PLAN} stream-verification-ack-only", "RFC 8936 section 2.4.2")
def test_who_only_says_what_was_heard_is_given_nothing(receiver: Receiver) -> None:
    verified(receiver, "one", "two")
    first, second = receiver.fetched()

    given = receiver.polls(ack=[first["jti"]], maxEvents=0)

    assert given["sets"] == {}
    assert [event["jti"] for event in receiver.fetched()] == [second["jti"]]


@spec("RFC 8936 section 2.4")
def test_a_few_at_a_time_and_the_word_that_there_are_more(receiver: Receiver) -> None:
    verified(receiver, "one", "two", "three")

    given = receiver.polls(maxEvents=2)
    rest = receiver.polls(maxEvents=2, ack=list(given["sets"]))

    assert (len(given["sets"]), given["moreAvailable"]) == (2, True)
    assert len(rest["sets"]) == 1
    assert "moreAvailable" not in rest


@spec("RFC 8936 section 2.4.5", "RFC 8936 section 2.6")
def test_an_event_the_receiver_cannot_take_is_not_sent_again(receiver: Receiver) -> None:
    receiver.verifies()
    (event,) = receiver.fetched()

    errors = {event["jti"]: {"err": "invalid_key", "description": "no key of yours\n"}}

    assert receiver.fetched(setErrs=errors) == []
    with receiver.world.app.app_context():
        newest = receiver.world.op.sign_outs.deliveries.newest(limit=1)[0]
        assert (newest.state, newest.last_answer) == ("refused", "refused: invalid_key")


@spec("RFC 8936 section 2.4.4")
def test_words_about_events_of_others_change_nothing(op: World, receiver: Receiver) -> None:
    receiver.verifies()
    (event,) = receiver.fetched()
    other = Receiver(op, receiving_client(op))
    other.creates()

    other.polls(ack=[event["jti"], "nobodys"], setErrs={event["jti"]: {"err": "invalid_key"}})
    foreign = other.call_at(receiver.stream["delivery"]["endpoint_url"], json={})

    assert foreign.status_code == 404
    assert [one["jti"] for one in receiver.fetched()] == [event["jti"]]


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
def test_a_poll_that_says_nonsense_is_refused(receiver: Receiver, wrong: dict[str, object]) -> None:
    url = receiver.stream["delivery"]["endpoint_url"]

    answer = receiver.call_at(url, json={"returnImmediately": True} | wrong)

    assert answer.status_code == 400


@spec("RFC 8936 section 2.2")
def test_a_poll_waits_for_news_for_a_while(receiver: Receiver) -> None:
    said: list[object] = []
    waiting = threading.Thread(
        target=lambda: said.append(receiver.fetched(returnImmediately=False))
    )
    began = time.monotonic()
    waiting.start()
    time.sleep(0.3)
    receiver.verifies("news")
    waiting.join(10)

    assert [event["events"] for event in said[0]] == [{VERIFICATION: {"state": "news"}}]  # type: ignore[attr-defined]
    assert time.monotonic() - began < 5


@spec("OpenID Shared Signals Framework 1.0 section 8.1.2")
def test_what_happens_while_a_stream_is_held_back_is_told_later(receiver: Receiver) -> None:
    name = receiver.stream["stream_id"]
    receiver.call("status_endpoint", json={"stream_id": name, "status": "paused"})
    receiver.verifies("meanwhile")

    held = receiver.fetched()
    receiver.call("status_endpoint", json={"stream_id": name, "status": "enabled"})

    assert held == []
    assert [event["events"] for event in receiver.fetched()] == [
        {VERIFICATION: {"state": "meanwhile"}}
    ]


@spec("OpenID Shared Signals Framework 1.0 section 8.1.2")
def test_a_disabled_stream_forgets_what_waits(receiver: Receiver) -> None:
    name = receiver.stream["stream_id"]
    receiver.verifies("before")
    for status in ("disabled", "enabled"):
        receiver.call("status_endpoint", json={"stream_id": name, "status": status})

    assert receiver.fetched() == []


@spec("OpenID Shared Signals Framework 1.0 section 8.1.4.2")
def test_a_stream_is_not_verified_twice_in_a_second(receiver: Receiver) -> None:
    receiver.verifies()

    body = {"stream_id": receiver.stream["stream_id"]}
    answer = receiver.call("verification_endpoint", json=body)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert len(receiver.fetched()) == 1


@spec("RFC 8936 section 2.4")
def test_events_that_nobody_fetches_are_given_up(receiver: Receiver) -> None:
    from idp.domain import unit, upkeep

    receiver.verifies()
    receiver.world.clock.advance(hours=25)
    receiver.token = ""
    receiver.__post_init__()
    with receiver.world.app.app_context():
        upkeep.sweep(receiver.world.op, receiver.world.clock.now)
        unit.commit()

    assert receiver.fetched() == []
