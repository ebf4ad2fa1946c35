"""One process of a provider, told what to do by one line of JSON: `python -m tests.support.worker`.

It says `ready`, waits for a word, and either works off the outbox once, or makes one call, says
what was answered, and is killed at once.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from idp.app import create_app
from idp.settings import load

ROOT = Path(__file__).parents[2]


class Worker:
    """Such a process, from outside."""

    def __init__(self, environ: dict[str, str], **job: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._say(json.dumps({"environ": environ} | job))
        assert self._hear() == "ready"

    def go(self) -> None:
        """Begin."""
        self._say("go")

    def answer(self) -> Any:
        """What it said at the end; it is over then."""
        said = json.loads(self._hear())
        self._process.wait(20)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        return said

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


def main() -> None:
    """The process itself."""
    job = json.loads(sys.stdin.readline())
    app = create_app(load(environ=job["environ"]))
    print("ready", flush=True)
    sys.stdin.readline()
    if "call" not in job:
        with app.app_context():
            print(json.dumps(app.extensions["idp.courier"].run_once()), flush=True)
        return
    answer = app.test_client(use_cookies=False).post(**job["call"])
    print(json.dumps([answer.status_code, answer.json]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
