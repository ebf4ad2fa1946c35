"""Processes that a run starts, kills without a word, and starts again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import httpx

ROOT = Path(__file__).parents[2]
SLOWEST_START = 60.0


class Process:
    """One command and its children, in a group of their own. What it says is heard line by line
    if it `speaks`, else it goes into the log.
    """

    def __init__(
        self, module: Sequence[str], environ: Mapping[str, str], log: Path, *, speaks: bool
    ) -> None:
        self._speaks = speaks
        self._command = [sys.executable, "-m", *module]
        self._environ = dict(environ)
        self._log = log
        self.child: subprocess.Popen[str]
        self.start()

    def start(self) -> None:
        """Begin, or begin again."""
        with self._log.open("ab") as log:
            self.child = subprocess.Popen(
                self._command,
                env=self._environ,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if self._speaks else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def kill(self) -> None:
        """The whole group, at once."""
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(10)

    def workers(self) -> list[int]:
        """Its children that answer requests."""
        path = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        return [pid for pid in map(int, path.read_text().split()) if _answers(pid)]

    def say(self, line: str) -> None:
        """A line for its input."""
        _open(self.child.stdin).write(line + "\n")
        _open(self.child.stdin).flush()

    def hear(self, word: str) -> None:
        """Wait until it says this."""
        said = self.line().strip()
        if said != word:
            raise RuntimeError(f"{self._command[2:]} said {said!r}; see {self._log}")

    def line(self) -> str:
        """What it says next; raises when it is gone."""
        said = _open(self.child.stdout).readline()
        if not said:
            raise RuntimeError(f"{self._command[2:]} is gone; see {self._log}")
        return said

    def end(self) -> None:
        """Kindly, then not."""
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.child.wait(10)
        if self.child.poll() is None:
            self.kill()


def wait_until_ready(port: int) -> None:
    """Until the provider at this port can answer."""
    ends = time.monotonic() + SLOWEST_START
    while True:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5, trust_env=False)
            if answer.status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > ends:
            raise RuntimeError("the provider does not start")
        time.sleep(0.05)


def _answers(pid: int) -> bool:
    """Python starts a process beside its children that only tidies up after them."""
    return b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def _open(file: "IO[str] | None") -> "IO[str]":
    if file is None:
        raise RuntimeError("there is no pipe")
    return file
