"""What the demo can take away for some seconds: the provider, its store, or what APIs hear of
it. Each comes back by itself, whatever becomes of us, and nothing in the provider helps with it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx


class Away:
    """One thing at a time."""

    def __init__(self, database: Path, api: str, group: int) -> None:
        self.secret = ""
        self._database = database
        self._api = api
        self._group = group
        self._until = 0.0
        self._holder: subprocess.Popen[bytes] | None = None

    def take(self, what: str, seconds: int) -> bool:
        """Whether it is gone now, for so long."""
        if time.monotonic() < self._until:
            return False
        takes = {"provider": self._freeze, "store": self._lock, "feed": self._cut}
        if not takes[what](seconds):
            return False
        self._until = time.monotonic() + seconds
        return True

    def close(self) -> None:
        """Wait until the provider moves again, so that it can end."""
        if self._holder is not None:
            self._holder.wait()

    def _freeze(self, seconds: int) -> bool:
        """The provider stands still. What thaws it is a process of its own."""
        thaws = ["/bin/sh", "-c", f"sleep {seconds}; kill -s CONT -- -{self._group}"]
        self._holder = subprocess.Popen(thaws, start_new_session=True)
        os.killpg(self._group, signal.SIGSTOP)
        return True

    def _lock(self, seconds: int) -> bool:
        """Nobody can read or write the database while another process holds its locks."""
        command = [sys.executable, "-m", "client_demo.locks", str(self._database), str(seconds)]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
        self._holder = holder
        return holder.stdout is not None and holder.stdout.readline() == b"held\n"

    def _cut(self, seconds: int) -> bool:
        """The API no longer hears what has ended."""
        bearer = {"Authorization": f"Bearer {self.secret}"}
        try:
            asked = httpx.post(f"{self._api}/lab/line", json={"seconds": seconds}, headers=bearer)
        except httpx.HTTPError:
            return False
        return asked.status_code == httpx.codes.OK
