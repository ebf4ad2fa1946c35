"""The SSF transmitter plans, delivery by push (B.12.1; RFC 8935)."""

import pytest

from tests.conformance.listener import Listener
from tests.conformance.marks import module
from tests.conformance.receiver import PUSH, VERIFICATION, Receiver, fetched, receiving_client
from tests.support.spec import spec
from tests.support.world import World


@pytest.fixture
def pushed(op: World, suite: Listener) -> Receiver:
    """A receiver that wants to be called, with a header to be known by."""
    rp = receiving_client(op)
    made = Receiver(op, rp, fetched(rp), suite=suite)
    made.delivery = {
        "method": PUSH,
        "endpoint_url": f"{suite.url}/events/{rp.client_id}",
        "authorization_header": f"Bearer push_token_{rp.client_id}",
    }
    return made


def newest(receiver: Receiver) -> tuple[str, str | None]:
    """State and last answer of the newest notice to a receiver."""
    with receiver.world.app.app_context():
        rows = receiver.world.op.sign_outs.deliveries.newest()
        mine = next(row for row in rows if row.client_id == receiver.rp.client_id)
        return mine.state, mine.last_answer


def answers(receiver: Receiver, status: int) -> None:
    """What the receiver says to whatever comes next."""
    assert receiver.suite is not None
    receiver.suite.answers[f"/events/{receiver.rp.client_id}"] = status


@module("openid-ssf-transmitter-stream-verification-push")
@spec("RFC 8935 section 2.1", "RFC 8935 section 2.2")
def test_an_event_is_pushed_with_the_header_that_was_agreed(receiver: Receiver) -> None:
    answers(receiver, 202)
    receiver.creates()
    receiver.verifies("a state")

    (came,) = receiver.pushed()
    event = receiver.read(came.body)

    assert came.headers["Content-Type"] == "application/secevent+jwt"
    assert came.headers["Authorization"] == receiver.delivery["authorization_header"]
    assert event["events"] == {VERIFICATION: {"state": "a state"}}
    assert event["sub_id"] == {"format": "opaque", "id": receiver.stream["stream_id"]}
    assert newest(receiver) == ("confirmed", "HTTP 202")


@module("openid-ssf-transmitter-stream-verification-error-push-no-auth")
def test_no_header_is_sent_where_none_was_agreed(receiver: Receiver) -> None:
    receiver.delivery.pop("authorization_header")
    receiver.creates()
    receiver.verifies()

    (came,) = receiver.pushed()
    assert "Authorization" not in came.headers


@spec("RFC 8935 section 2.4", "BCL-03")
def test_a_receiver_that_fails_is_told_again_with_the_same_event(pushed: Receiver) -> None:
    answers(pushed, 503)
    pushed.creates()
    pushed.verifies()
    pushed.pushed()
    before = newest(pushed)
    answers(pushed, 200)
    pushed.world.clock.advance(minutes=5)

    first, second = (pushed.read(came.body) for came in pushed.pushed())

    assert before == ("waiting", "HTTP 503")
    assert first == second
    assert newest(pushed)[0] == "confirmed"


@spec("RFC 8935 section 2.3")
def test_a_receiver_that_refuses_an_event_is_not_told_again(pushed: Receiver) -> None:
    answers(pushed, 400)
    pushed.creates()
    pushed.verifies()
    pushed.pushed()
    pushed.world.clock.advance(hours=1)

    assert len(pushed.pushed()) == 1
    assert newest(pushed) == ("refused", "HTTP 400")


@spec("OpenID Shared Signals Framework 1.0 section 8.1.1.3")
def test_what_waits_follows_a_change_of_the_stream(pushed: Receiver) -> None:
    name = pushed.creates()["stream_id"]
    held = {"stream_id": name, "status": "paused"}
    pushed.call("status_endpoint", json=held)
    pushed.verifies("later")
    nothing = pushed.pushed()
    other = pushed.delivery | {"authorization_header": "Basic b3RoZXI6b3RoZXI="}
    pushed.streams("PATCH", json={"stream_id": name, "delivery": other})
    pushed.call("status_endpoint", json=held | {"status": "enabled"})

    (came,) = pushed.pushed()
    assert nothing == []
    assert came.headers["Authorization"] == other["authorization_header"]


@spec("OpenID Shared Signals Framework 1.0 section 8.1.1.4")
def test_a_replacement_keeps_the_header_that_is_never_told(pushed: Receiver) -> None:
    made = pushed.creates()
    pushed.streams("PUT", json=made)
    pushed.verifies()
    pushed.pushed()
    taken_away = made["delivery"] | {"authorization_header": None}
    pushed.streams("PUT", json=made | {"delivery": taken_away})
    pushed.world.clock.advance(seconds=2)
    pushed.verifies()

    first, second = pushed.pushed()
    assert first.headers["Authorization"] == pushed.delivery["authorization_header"]
    assert "Authorization" not in second.headers


@spec("P6")
def test_the_header_is_not_readable_in_the_database(pushed: Receiver) -> None:
    stream_id = pushed.creates()["stream_id"]

    with pushed.world.app.app_context():
        row = pushed.world.op.events.signals.streams.get(stream_id)
        assert row is not None
        kept = [str(getattr(row, column.key)) for column in row.__table__.columns]
    assert not any("push_token" in value for value in kept)
    assert pushed.streams("GET").json == [pushed.stream]


@spec("SSR-01")
def test_an_event_does_not_go_to_a_private_address(pushed: Receiver) -> None:
    pushed.delivery = {"method": PUSH, "endpoint_url": "https://127.0.0.1/events"}
    pushed.creates()
    pushed.verifies()

    assert pushed.pushed() == []
    assert newest(pushed) == ("waiting", "the address could not be reached")
