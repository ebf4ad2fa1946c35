"""A race: 32 racers in 4 processes that answer for one provider."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.world import Rp, World

ROOT = Path(__file__).parents[2]
PROCESSES, THREADS = 4, 8


class Race:
    """Some processes that answer for the same provider."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._racers = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.support.racer"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for _ in range(PROCESSES)
        ]
        for racer in self._racers:
            self._say(racer, {"environ": environ})
        for racer in self._racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"

    def run(self, path: str, form: dict[str, str], rp: Rp, **headers: str) -> list[list[Any]]:
        """The same call from all of them; every answer."""
        self.start(path, [form] * PROCESSES * THREADS, rp, **headers)
        return self.answers()

    def start(self, path: str, forms: list[dict[str, str]], rp: Rp, **headers: str) -> None:
        """A call with a form of its own for each of them."""
        for number, racer in enumerate(self._racers):
            mine = forms[number * THREADS : (number + 1) * THREADS]
            auth = [rp.client_id, rp.secret]
            self._say(racer, {"path": path, "forms": mine, "auth": auth, "headers": headers})

    def answers(self) -> list[list[Any]]:
        """What all of them were answered."""
        answers: list[list[Any]] = []
        for racer in self._racers:
            assert racer.stdout is not None
            answers += json.loads(racer.stdout.readline())
        return answers

    def end(self) -> None:
        for racer in self._racers:
            assert racer.stdin is not None
            racer.stdin.close()
            racer.wait(20)

    def _say(self, racer: "subprocess.Popen[str]", what: object) -> None:
        assert racer.stdin is not None
        racer.stdin.write(json.dumps(what) + "\n")
        racer.stdin.flush()


def at_real_time(world: World) -> None:
    """The racers look at the clock on the wall; so does this world."""
    from idp.app import wall_clock

    world.clock.now = wall_clock()
