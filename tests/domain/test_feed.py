"""The feed's order: each row once, in order, and no hole is filled later."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from idp.policies.feed import JTI, key
from idp.store import db, once_committed
from idp.store.system import Ended
from tests.support.services import Postgres
from tests.support.spec import spec
from tests.support.world import World, make_world

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WRITERS, EACH = 16, 6


class Reader:
    """A guard that follows from the very beginning."""

    def __init__(self, world: World) -> None:
        self.keys: list[int] = []
        self.pages: list[tuple[int, int]] = []
        self._world = world
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    @contextmanager
    def follows(self) -> Iterator["Reader"]:
        self._thread.start()
        yield self
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        epoch, after = None, None
        last = False
        while not last:
            last = self._ended.is_set()
            feed = self._world.op.sign_outs.feed
            batch, _ = feed.listen(epoch, after, timedelta(milliseconds=20))
            epoch, after = batch.epoch, batch.to
            self.keys += [row[0] for row in batch.rows]
            self.pages.append((batch.start, batch.to))


def ends_slowly(world: World, number: int) -> None:
    """Rows that are written early and committed late."""
    for turn in range(EACH):
        with world.app.app_context():
            names = [f"{number}-{turn}-a", f"{number}-{turn}-b"]
            world.op.sign_outs.feed.put(JTI, names, world.clock.now, world.clock.now)
            time.sleep((number * 7 + turn * 3) % 10 / 500)
            db.session.commit()


@spec("CON-04", "P4")
def test_who_follows_sees_each_row_once_and_in_order(either: World) -> None:
    writers = [threading.Thread(target=ends_slowly, args=(either, n)) for n in range(WRITERS)]

    with Reader(either).follows() as reader:
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

    wanted = {
        key(JTI, f"{n}-{turn}-{part}")
        for n in range(WRITERS)
        for turn in range(EACH)
        for part in "ab"
    }
    replay = either.op.sign_outs.feed.read(None, None)
    ends = [to for _, to in reader.pages]
    assert [start for start, _ in reader.pages] == [0, *ends[:-1]]
    assert len(reader.keys) == len(wanted)
    assert set(reader.keys) == wanted
    assert [row[0] for row in replay.rows] == reader.keys
    assert replay.head == len(wanted)


@spec("CON-04")
def test_what_is_committed_late_gets_a_late_number(tmp_path: Path, postgres: Postgres) -> None:
    world = make_world(tmp_path, postgres.fresh())  # SQLite has one writer at a time
    feed, now = world.op.sign_outs.feed, world.clock.now
    with world.app.app_context():
        feed.put(JTI, ["early"], now, now)
        other = threading.Thread(target=_ends, args=(world, "late"))
        other.start()
        other.join()
        between = feed.read(None, None)
        db.session.commit()

    after = feed.read(between.epoch, between.to)
    with world.app.app_context():
        db.engine.dispose()
    assert [row[0] for row in between.rows] == [key(JTI, "late")]
    assert [row[0] for row in after.rows] == [key(JTI, "early")]


def _ends(world: World, name: str) -> None:
    with world.app.app_context():
        world.op.sign_outs.feed.put(JTI, [name], world.clock.now, world.clock.now)
        db.session.commit()


@spec("P2", "F-02")
def test_the_worker_numbers_what_a_killed_process_left(either: World) -> None:
    other = Other(either)
    with either.app.app_context():
        either.op.sign_outs.feed.look()

    other.says({"end": "x", "die": True})
    assert other.process.wait(20) == -signal.SIGKILL
    with either.app.app_context():
        unnumbered = select(func.count()).select_from(Ended).where(Ended.seq.is_(None))
        before = db.session.scalar(unnumbered)
        db.session.rollback()
        either.app.extensions["idp.courier"].run_once()
        after = db.session.scalar(unnumbered)

    assert (before, after) == (1, 0)
    assert [row[0] for row in either.op.sign_outs.feed.read(None, None).rows] == [key(JTI, "x")]


@spec("P4")
def test_news_of_another_process_is_heard_within_a_moment(either: World) -> None:
    other = Other(either)
    feed = either.op.sign_outs.feed
    known = feed.read(None, None)
    came: list[float] = []

    def listen() -> None:
        batch, _ = feed.listen(known.epoch, 0, timedelta(seconds=5))
        came.append(time.monotonic() if batch.rows else 0)

    listener = threading.Thread(target=listen)
    listener.start()
    time.sleep(0.1)
    other.says({"end": "x", "die": False})
    assert other.hears() == "ended\n"
    ended = time.monotonic()
    listener.join()
    other.end()

    assert came[0] - ended < 0.1


class Other:
    """Another process of the same provider."""

    def __init__(self, world: World) -> None:
        settings = world.app.extensions["idp.settings"]
        environ = {
            "IDP_DATA_DIR": str(settings.data_dir),
            "IDP_ISSUER": settings.issuer,
            "IDP_SECRET": settings.secret,
            "IDP_DATABASE_URL": settings.database_url,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.domain.test_feed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environ,
        )
        assert self.hears() == "ready\n"

    def says(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def hears(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


def main() -> None:
    """Be the other process: end what is named, and die after the commit if told to."""
    from idp.app import create_app, wall_clock

    app = create_app()
    print("ready", flush=True)
    order = json.loads(sys.stdin.readline())
    with app.app_context():
        if order["die"]:
            once_committed(db.session, _die)
        now = wall_clock()
        app.extensions["idp"].sign_outs.feed.put(JTI, [order["end"]], now, now)
        db.session.commit()
    print("ended", flush=True)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
