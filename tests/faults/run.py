"""One run: everything starts, people live while things go wrong, everybody looks once more."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from idp.app import create_app
from idp.settings import load
from idp.store import db
from tests.faults.checks import Promises, Violation, check
from tests.faults.figures import report
from tests.faults.history import Op, Recorder, read
from tests.faults.house import House, house
from tests.faults.nemesis import Nemesis
from tests.faults.plan import MAX_SILENCE, Plan

LONGEST_DRAIN = 60.0  # a notice under way when its bearer died waits until the lease is over


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen, and what was wrong with it."""

    history: list[Op]
    broken: list[Violation]
    promises: Promises

    @property
    def report(self) -> str:
        return report(self.history, self.promises, self.broken)


def run(store: str, folder: Path, *, seconds: float, seed: int, strict: bool = False) -> Run:
    """Live for so long; then what was seen is checked."""
    recorder = Recorder(folder / "house.jsonl")
    with house(store, folder, seed, recorder, strict=strict) as built:
        nemesis = threading.Thread(
            target=Nemesis(built, recorder, seed).until, args=(time.monotonic() + seconds,)
        )
        nemesis.start()
        _everybody(built, f"live {seconds}")
        nemesis.join()
        time.sleep(MAX_SILENCE)
        _everybody(built, "probe")
        _drain(built.plan)
    recorder.close()
    history, promises = read(sorted(folder.glob("*.jsonl"))), built.plan.promises
    return Run(history, check(history, promises), promises)


def _everybody(built: House, command: str) -> None:
    for actor in built.actors:
        actor.say(command)
    for actor in built.actors:
        actor.hear("done")


def _drain(plan: Plan) -> None:
    """Wait until no notice is under way."""
    app, ends = create_app(load(environ=plan.environ)), time.monotonic() + LONGEST_DRAIN
    op, clock = app.extensions["idp"], app.extensions["idp.clock"]
    with app.app_context():
        while op.sign_outs.deliveries.backlog(clock()).waiting and time.monotonic() < ends:
            db.session.remove()
            time.sleep(0.5)
        db.session.remove()
        db.engine.dispose()
