"""A process that answers one request and dies of it: `python -m tests.outages.dying`.

It reads a job as a line of JSON, says `ready`, waits for a word, and is killed either before
what it does is committed, or after that and before anybody has heard the answer.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from werkzeug.test import Client

from idp.app import create_app
from idp.settings import load

ROOT = Path(__file__).parents[2]
BEFORE, AFTER = "before the commit", "before the answer"


class Dying:
    """Such a process, from outside."""

    def __init__(self, environ: dict[str, str], moment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.outages.dying"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._moment = moment
        self._say({"environ": environ, "moment": moment})

    def answers(self, method: str, path: str, **call: Any) -> str:
        """Make the call; what was heard of it, which is nothing."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._say({"method": method, "path": path, **call})
        heard = self._process.stdout.read()
        assert self._process.wait(20) == -signal.SIGKILL
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return heard

    def _say(self, what: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()


def die(*_: object) -> None:
    """At once."""
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """The process itself."""
    job = json.loads(sys.stdin.readline())
    app = create_app(load(environ=job["environ"]))
    print("ready", flush=True)
    call = json.loads(sys.stdin.readline())
    if job["moment"] == BEFORE:
        event.listen(Engine, "commit", die)
    if "auth" in call:
        call["auth"] = tuple(call["auth"])
    answer = Client(app).open(**call)
    if job["moment"] == AFTER:
        die()
    print(answer.status_code, flush=True)


if __name__ == "__main__":
    main()
