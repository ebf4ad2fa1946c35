"""Rotation under fire: two hundred try one refresh token at once, at two servers of one provider,
while processes die and Redis forgets (RFC 9700 section 4.14).
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from flask import Flask

from idp.app import create_app
from idp.settings import load
from idp.store import db
from tests.faults.checks import check
from tests.faults.history import FAIL, OK, Op, Recorder, mark, read
from tests.faults.house import House, house
from tests.faults.plan import MAX_SILENCE, PROMISES
from tests.faults.steps import Held, Steps
from tests.support.spec import spec

MANY = 200
GRACE = 10
PATIENCE = 60.0


@dataclass
class Scene:
    """A running house, and one person in it with a fresh line of each app."""

    built: House
    folder: Path
    app: Flask
    steps: Steps

    def signs_in_at(self, name: str) -> Held:
        """A line of that app."""
        account = self.built.plan.people[0]
        session = self.steps.sign_in(account)
        assert session is not None
        client = next(app for app in self.built.plan.apps if app.name == name)
        held = self.steps.authorize(session, client, "sso")
        assert held is not None
        return held

    def all_at_once(self, held: Held, token: str) -> list[Op]:
        """Everybody refreshes with it; what they were answered."""
        barrier = threading.Barrier(MANY)

        def one() -> None:
            barrier.wait()
            self.steps.refresh(held, token, "sso")

        racers = [threading.Thread(target=one) for _ in range(MANY)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        return [op for op in self.history if op.key == mark(token)]

    @property
    def history(self) -> list[Op]:
        return read([self.folder / "history.jsonl"])

    def thefts(self) -> int:
        """How often the trail says that a refresh token came back."""
        with self.app.app_context():
            found = self.app.extensions["idp"].events.of_account(self.built.plan.people[0])
            names = [event.name for event in found]
            db.session.remove()
        return names.count("RefreshTokenReused")

    def refused_everywhere(self, held: Held) -> bool:
        """Whether no API lets the newest access token in."""
        api, token = held.access[-1]
        nodes = self.built.plan.nodes
        return [self.steps.call(held, api, token, node) for node in nodes] == ["reject"] * 3


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp(request.param)
    recorder = Recorder(folder / "history.jsonl")
    with house(request.param, folder, 1, recorder, actors=0, grace=GRACE) as built:
        app = create_app(load(environ=built.plan.environ))
        chance = random.Random(1)
        steps = Steps(built.plan, app, recorder, "ann", chance, patience=PATIENCE)
        yield Scene(built, folder, app, steps)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.mark.slow
@spec("RFT-03", "RFT-04", "RFT-13", "P3")
def test_inside_the_grace_all_of_them_are_given_the_same_successor(scene: Scene) -> None:
    held = scene.signs_in_at("notes")

    answers = scene.all_at_once(held, held.refresh[0])

    assert Counter(op.outcome for op in answers) == {OK: MANY}
    assert {op["refresh"] for op in answers} == {mark(held.refresh[-1])}
    assert scene.steps.refresh(held, held.refresh[-1], "sso")
    assert check(scene.history, PROMISES) == []


@pytest.mark.slow
@spec("RFT-01", "RFT-02", "RFT-03", "P3", "P4")
def test_without_a_grace_one_wins_and_the_copy_ends_the_line_everywhere(scene: Scene) -> None:
    held, before = scene.signs_in_at("page"), scene.thefts()

    answers = scene.all_at_once(held, held.refresh[0])

    assert Counter(op.outcome for op in answers) == {OK: 1, FAIL: MANY - 1}
    assert {op.get("error") for op in answers} == {None, "invalid_grant"}
    assert not scene.steps.refresh(held, held.refresh[-1], "sso")
    time.sleep(MAX_SILENCE)
    assert scene.refused_everywhere(held)
    assert scene.thefts() == before + 1


@pytest.mark.slow
@spec("RFT-02", "RFT-05", "RFT-13", "F-01", "F-08", "CVE-2026-9802", "P2")
def test_a_kill_and_a_flush_in_the_middle_change_nothing(scene: Scene) -> None:
    held, before = scene.signs_in_at("notes"), scene.thefts()
    first = held.refresh[0]
    trouble = threading.Timer(0.3, lambda: make_trouble(scene.built))
    trouble.start()

    answers = scene.all_at_once(held, first)
    trouble.join()

    assert {op["refresh"] for op in answers if op.outcome == OK} == {mark(held.refresh[-1])}
    assert FAIL not in {op.outcome for op in answers if op.get("status") == 400}
    assert len([op for op in answers if op.outcome == OK]) > MANY // 2
    assert scene.steps.refresh(held, held.refresh[-1], "sso"), "the honest client goes on"

    time.sleep(GRACE)
    assert not scene.steps.refresh(held, first, "sso")
    time.sleep(MAX_SILENCE)
    assert scene.refused_everywhere(held)
    assert not scene.steps.refresh(held, held.refresh[-1], "sso")
    assert scene.thefts() == before + 1


def make_trouble(built: House) -> None:
    """A process of one server dies, and Redis forgets everything."""
    os.kill(built.providers[0].workers()[0], signal.SIGKILL)
    if built.redis is not None:
        with redis.Redis.from_url(built.redis.url) as client:
            client.flushall()
