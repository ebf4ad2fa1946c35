"""What the demo takes away: it is really gone, comes back by itself, and nobody else can do it."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient

from client_demo import language
from client_demo.away import Away
from client_demo.lab import line
from client_demo.lab.outage import SECONDS, WORDS, Outage, Strip, kind, said
from client_demo.lab.wire import Entry
from tests.support.spec import spec

SECRET = "only the operator knows"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Somebody has it open, as the provider has."""
    path = tmp_path / "the demo.sqlite3"
    held = sqlite3.connect(path, isolation_level=None)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("CREATE TABLE note (words TEXT)")
    yield path
    held.close()


def says(path: Path, statement: str) -> str:
    """What a process of its own gets, as SQLite's locks are a process's."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=0.2, isolation_level=None);"
        "print(c.execute(sys.argv[2]).fetchall())"
    )
    command = [sys.executable, "-c", code, str(path), statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@spec("P5", "product: the lab's buttons")
@pytest.mark.slow  # a reader of SQLite gives up after ten seconds
def test_a_store_that_is_away_can_be_neither_read_nor_written(database: Path) -> None:
    command = [sys.executable, "-m", "client_demo.locks", str(database), "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        read = says(database, "SELECT 1 FROM note")
        written = says(database, "INSERT INTO note VALUES ('x')")
        holder.kill()

    assert "OperationalError" in read
    assert "OperationalError" in written
    assert says(database, "INSERT INTO note VALUES ('y')") == "[]"
    assert says(database, "SELECT words FROM note") == "[('y',)]"


@spec("product: the lab's buttons")
def test_one_thing_at_a_time_is_away(database: Path) -> None:
    away = Away(database, "http://localhost:9", group=0)

    assert away.take("store", 1)
    assert not away.take("store", 1)
    away.close()
    time.sleep(1)

    assert away.take("store", 1)
    away.close()


@spec("product: the lab's buttons")
def test_what_cannot_be_taken_away_is_not_said_to_be(tmp_path: Path) -> None:
    away = Away(tmp_path / "nowhere.sqlite3", "http://localhost:9", group=0)

    assert not away.take("store", 1)
    assert not away.take("feed", 1)
    away.close()


@pytest.fixture
def cable() -> line.Line:
    return line.Line()


def api(cable: line.Line, secret: str = SECRET) -> FlaskClient:
    app = Flask(__name__)
    line.hang(app, cable, secret)
    return app.test_client()


@spec("P5", "product: the lab's buttons")
def test_while_the_line_is_cut_only_the_feed_is_out_of_reach(cable: line.Line) -> None:
    bearer = {"Authorization": f"Bearer {SECRET}"}
    client = httpx.Client(transport=cable)

    cut = api(cable).post("/lab/line", json={"seconds": 1}, headers=bearer)

    assert cut.status_code == 200
    with pytest.raises(httpx.ConnectError, match="the line is cut"):
        client.get("http://localhost:9/feed?wait=1")
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.get("http://localhost:9/introspect")
    time.sleep(1)
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.get("http://localhost:9/feed")


@spec("BRW-01")
@pytest.mark.parametrize(
    ("secret", "given", "body", "status"),
    [
        (SECRET, "", {"seconds": 1}, 401),
        (SECRET, "Bearer wrong", {"seconds": 1}, 401),
        ("", "Bearer ", {"seconds": 1}, 401),
        (SECRET, f"Bearer {SECRET}", {"seconds": 900}, 400),
        (SECRET, f"Bearer {SECRET}", {"seconds": "1"}, 400),
        (SECRET, f"Bearer {SECRET}", [], 400),
    ],
)
def test_who_is_no_operator_cuts_no_line(
    cable: line.Line, secret: str, given: str, body: object, status: int
) -> None:
    headers = {"Authorization": given}

    answer = api(cable, secret).post("/lab/line", json=body, headers=headers)

    assert answer.status_code == status
    with pytest.raises(httpx.ConnectError, match="refused"):
        httpx.Client(transport=cable).get("http://localhost:9/feed")


@spec("product: the lab")
@pytest.mark.parametrize(
    ("status", "asked", "found"),
    [
        (200, "feed", "memory"),
        (200, "provider", "asked"),
        (200, "list", "asked"),
        (200, "nothing", "alone"),
        (503, "", "unsure"),
        (0, "", "unsure"),
        (401, "", "out"),
    ],
)
def test_each_answer_of_an_api_says_who_vouched(status: int, asked: str, found: str) -> None:
    assert kind(Entry("app", "", status=status, asked=asked)) == found
    assert found in WORDS


@spec("product: the lab")
def test_a_strip_is_told_in_one_sentence() -> None:
    app = Flask(__name__)
    language.hang(app)
    strip = Strip(lambda: Entry("app", ""), lambda entry: entry, "memory")
    for at, found in ((0, "memory"), (250, "memory"), (2900, "unsure"), (8600, "memory")):
        strip.turn(at, found)
    strip.normal = 8600

    with app.test_request_context():
        sentence = said(strip)

    assert sentence == (
        "Let in, from the API’s own memory; after 2.9 s: refused for now, because nobody could say;"
        " as before after 8.6 s."
    )


@spec("product: the lab")
def test_an_outage_is_over_when_every_pass_is_treated_as_before() -> None:
    outage = Outage("feed", started=time.time() - SECONDS - 1)
    for name in ("opaque", "sso"):
        outage.follow(name, lambda: Entry("app", "", status=200, asked="feed"), lambda entry: entry)

    outage.strips["opaque"].normal = 0
    before, outage.strips["sso"].normal = outage.over, 8600

    assert not before
    assert outage.over
