"""Pings to apps (CIBA Core section 10.2), from the outbox like every notice."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from idp.store import db
from tests.support.ciba import Caller, answers, caller
from tests.support.spec import spec
from tests.support.world import World, make_world

SECRET = "the-secret-that-the-app-wants-to-hear"


class Hearing(BaseHTTPRequestHandler):
    """An app that counts what it hears, and answers as it is told to."""

    statuses: ClassVar[list[int]] = []
    heard: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append((self.headers["Authorization"], body))
        self.send_response(self.statuses.pop(0) if self.statuses else 204)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hearing)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    place = f"localhost:{server.server_port}"
    made = make_world(
        Path(tmp_path_factory.mktemp("ping")),
        IDP_ISSUER="http://localhost:9000",
        IDP_OUTBOUND__ALLOWED=place,
    )
    made.person("alice")
    made.app.config["PLACE"] = place
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(op: World) -> Caller:
    Hearing.statuses.clear()
    Hearing.heard.clear()
    op.clock.advance(minutes=11)
    made = caller(
        op,
        backchannel_token_delivery_mode="ping",
        backchannel_client_notification_endpoint=f"http://{op.app.config['PLACE']}/cb",
    )
    return made.asks(client_notification_token=SECRET)


def answered(op: World, said: str) -> None:
    browser = op.browser()
    browser.sign_in()
    answers(browser, said)


def works(op: World, **later: float) -> None:
    """The worker's turn, after some time."""
    op.clock.advance(**later)
    with op.app.app_context():
        op.app.extensions["idp.courier"].run_once()


@pytest.mark.parametrize(("said", "error"), [("allow", ""), ("deny", "access_denied")])
@spec("CIBA Core section 10.2")
def test_an_app_is_pinged_once_there_is_an_answer(
    op: World, app: Caller, said: str, error: str
) -> None:
    works(op)
    silent = list(Hearing.heard)

    answered(op, said)
    works(op)

    body = f'{{"auth_req_id": "{app.asked["auth_req_id"]}"}}'
    assert silent == []
    assert Hearing.heard == [(f"Bearer {SECRET}", body)]
    assert app.hears() == error


@spec("CIBA Core section 10.2")
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429])
def test_an_app_that_refuses_a_ping_is_not_asked_again(op: World, app: Caller, status: int) -> None:
    Hearing.statuses[:] = [status]
    answered(op, "allow")

    for _ in range(3):
        works(op, seconds=40)

    assert len(Hearing.heard) == 1
    assert app.polls().status_code == 200


def test_an_app_that_is_out_of_order_is_pinged_again_as_long_as_it_matters(
    op: World, app: Caller
) -> None:
    Hearing.statuses[:] = [503] * 20
    answered(op, "allow")

    for _ in range(4):
        works(op, seconds=60)
    tried = len(Hearing.heard)
    app.polls()
    works(op, hours=1)

    assert tried > 1
    assert len(Hearing.heard) == tried


@spec("P6", "CIBA Core section 10.2")
def test_neither_secret_stands_in_the_database(op: World, app: Caller) -> None:
    answered(op, "allow")

    with op.app.app_context():
        connection = db.session.connection()
        rows = connection.exec_driver_sql("SELECT * FROM approval").all()
        rows += connection.exec_driver_sql("SELECT * FROM delivery").all()

    assert SECRET not in str(rows)
    assert app.asked["auth_req_id"] not in str(rows)


@pytest.mark.parametrize("token", [None, "", "two words", "x" * 1025, "ä"])
def test_an_app_must_say_how_it_wants_to_be_pinged(
    op: World, app: Caller, token: str | None
) -> None:
    answer = app.request(login_hint="alice", client_notification_token=token)

    assert answer.json["error"] == "invalid_request"
