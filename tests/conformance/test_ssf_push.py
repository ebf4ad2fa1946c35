"""The SSF transmitter plan, delivery by push (B.12.1; RFC 8935)."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from idp.store import db
from tests.conformance.receiver import PUSH, VERIFICATION, Receiver, receiving_client
from tests.support.spec import spec
from tests.support.world import World, make_world

PLAN = "conformance ssf-transmitter"
SECRET = "Bearer push_token_0b5a"


@dataclass
class Endpoint:
    """A receiver's own server on loopback: what came, and what it answers."""

    place: str = ""
    came: list[tuple[str, str | None, str]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.place}/events"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            authorization = self.headers.get("Authorization")
            made.came.append((self.headers["Content-Type"], authorization, body))
            status, text = made.answers.pop(0) if made.answers else (202, "")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.place = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def near(tmp_path: Path, endpoint: Endpoint) -> Iterator[World]:
    """A world that may reach the endpoint."""
    made = make_world(
        tmp_path, IDP_ISSUER="http://localhost:9000", IDP_OUTBOUND__ALLOWED=endpoint.place
    )
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def receiver(near: World, endpoint: Endpoint) -> Receiver:
    made = Receiver(near, receiving_client(near))
    made.delivery = {
        "method": PUSH,
        "endpoint_url": endpoint.url,
        "authorization_header": SECRET,
    }
    return made


def courier(world: World) -> int:
    with world.app.app_context():
        tried: int = world.app.extensions["idp.courier"].run_once()
        return tried


def state(world: World) -> tuple[str, str | None]:
    with world.app.app_context():
        row = world.op.sign_outs.deliveries.newest(limit=1)[0]
        return row.state, row.last_answer


@spec(f"{PLAN} stream-verification-push", "RFC 8935 section 2.1", "RFC 8935 section 2.2")
def test_an_event_is_pushed_with_the_header_that_was_agreed(
    receiver: Receiver, endpoint: Endpoint
) -> None:
    receiver.creates()
    receiver.verifies("a state")
    courier(receiver.world)

    ((kind, authorization, body),) = endpoint.came
    event = receiver.read(body)

    assert kind == "application/secevent+jwt"
    assert authorization == SECRET
    assert event["events"] == {VERIFICATION: {"state": "a state"}}
    assert event["sub_id"] == {"format": "opaque", "id": receiver.stream["stream_id"]}
    assert state(receiver.world) == ("confirmed", "HTTP 202")


@spec(f"{PLAN} stream-verification-error-push-no-auth")
def test_no_header_is_sent_where_none_was_agreed(receiver: Receiver, endpoint: Endpoint) -> None:
    receiver.delivery.pop("authorization_header")
    receiver.creates()
    receiver.verifies()
    courier(receiver.world)

    assert [authorization for _, authorization, _ in endpoint.came] == [None]


@spec("RFC 8935 section 2.4", "BCL-03")
def test_a_receiver_that_fails_is_told_again_with_the_same_event(
    receiver: Receiver, endpoint: Endpoint
) -> None:
    endpoint.answers = [(503, "")]
    receiver.creates()
    receiver.verifies()
    courier(receiver.world)
    before = state(receiver.world)
    receiver.world.clock.advance(minutes=5)
    courier(receiver.world)

    first, second = (receiver.read(body) for _, _, body in endpoint.came)

    assert before == ("waiting", "HTTP 503")
    assert first == second
    assert state(receiver.world)[0] == "confirmed"


@spec("RFC 8935 section 2.3")
def test_a_receiver_that_refuses_an_event_is_not_told_again(
    receiver: Receiver, endpoint: Endpoint
) -> None:
    endpoint.answers = [(400, '{"err":"authentication_failed","description":"who are you?"}')]
    receiver.creates()
    receiver.verifies()
    courier(receiver.world)
    receiver.world.clock.advance(hours=1)

    assert courier(receiver.world) == 0
    assert state(receiver.world) == ("refused", "HTTP 400 authentication_failed")


@spec("OpenID Shared Signals Framework 1.0 section 8.1.1.3")
def test_what_waits_follows_a_change_of_the_stream(receiver: Receiver, endpoint: Endpoint) -> None:
    name = receiver.creates()["stream_id"]
    held = {"stream_id": name, "status": "paused"}
    receiver.call("status_endpoint", json=held)
    receiver.verifies("later")
    nothing = courier(receiver.world)
    other = {"method": PUSH, "endpoint_url": endpoint.url + "/new"}
    receiver.streams("PATCH", json={"stream_id": name, "delivery": other})
    receiver.call("status_endpoint", json=held | {"status": "enabled"})
    courier(receiver.world)

    assert nothing == 0
    assert [authorization for _, authorization, _ in endpoint.came] == [None]


@spec("OpenID Shared Signals Framework 1.0 section 8.1.1.4")
def test_a_replacement_keeps_the_header_that_is_never_told(
    receiver: Receiver, endpoint: Endpoint
) -> None:
    made = receiver.creates()
    receiver.streams("PUT", json=made)
    receiver.verifies()
    courier(receiver.world)
    taken_away = made["delivery"] | {"authorization_header": None}
    receiver.streams("PUT", json=made | {"delivery": taken_away})
    receiver.world.clock.advance(seconds=2)
    receiver.verifies()
    courier(receiver.world)

    assert [authorization for _, authorization, _ in endpoint.came] == [SECRET, None]


@spec("P6")
def test_the_header_is_not_readable_in_the_database(receiver: Receiver, tmp_path: Path) -> None:
    receiver.creates()

    files = [path.read_bytes() for path in tmp_path.glob("idp.sqlite3*")]
    assert files
    assert not any(b"push_token" in data for data in files)


@spec("SSR-01")
def test_an_event_does_not_go_to_a_private_address(op: World) -> None:
    receiver = Receiver(op, receiving_client(op))
    receiver.delivery = {"method": PUSH, "endpoint_url": "https://127.0.0.1/events"}
    receiver.creates()
    receiver.verifies()
    courier(op)

    assert state(op) == ("waiting", "the address could not be reached")
