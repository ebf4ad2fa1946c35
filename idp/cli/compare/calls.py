"""Calls of an API from another process, over a connection that is kept."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from idp.cli.compare.key import DeviceKey

PATIENCE = 10.0
PAUSE, SOON = 0.02, 1.0
OK, REFUSED = 200, 401


class Strayed(Exception):
    """Something else happened than the scenario is about; a figure for that means nothing."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with an access token, and with the key of the device or without."""

    token: str
    key: DeviceKey | None = None


@dataclass(slots=True)
class Refusal:
    """How a token went out of use: seconds from a moment until the API's first refusal was
    here, and how many calls were let through meanwhile.
    """

    seconds: float | None = None
    let_through: int = 0


@dataclass
class ApiProcess:
    """One API that runs, and how it is called."""

    process: "subprocess.Popen[str]"
    port: int
    http: httpx.Client

    @classmethod
    def start(cls, setup: dict[str, object]) -> "ApiProcess":
        """Start it, and wait until it says where it listens."""
        process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("api.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("the API has no pipes")
        process.stdin.write(json.dumps(setup) + "\n")
        process.stdin.flush()
        said = process.stdout.readline()
        if not said.strip().isdigit():
            raise OSError("the API did not start")
        return cls(process, int(said), client())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it: its standard input ends, and then it does."""
        self.http.close()
        self.process.communicate()

    def call(self, holder: Holder, path: str = "/notes", http: httpx.Client | None = None) -> int:
        """One call; the status of the answer."""
        url, scheme, proof = f"{self.url}{path}", "Bearer", {}
        if holder.key is not None:
            scheme, proof = "DPoP", {"DPoP": holder.key.proof("GET", url, holder.token)}
        headers = {"Authorization": f"{scheme} {holder.token}", **proof}
        return (http or self.http).get(url, headers=headers).status_code

    def is_fresh(self) -> bool:
        """Whether its guard knows all that has ended."""
        fresh: bool = self.http.get(f"{self.url}/health").json()["fresh"]
        return fresh

    def do(self, path: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """One of the things that only who compares may ask for."""
        return self.http.post(f"{self.url}{path}").json()


class Watch:
    """Calls an API again and again from another thread, until the token is refused.

    It begins before the sign-out, as an API is called while somebody signs out. Without a
    pause in the first second after it, so that what is fast is measured well.
    """

    def __init__(self, api: ApiProcess, holder: Holder, longest: float) -> None:
        self.seen = Refusal()
        self._api, self._holder, self._longest = api, holder, longest
        self._begun = False
        self._since: float | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def begins(self) -> None:
        """The sign-out is about to be asked for: from now on a refusal is one that counts."""
        if not self._thread.is_alive():
            raise Strayed("the token was refused before anybody signed out")
        self._begun = True

    def answered(self) -> None:
        """The sign-out was answered at this moment."""
        self._since = time.perf_counter()

    def result(self, within: float | None = None) -> Refusal | None:
        """What was seen; None while it goes on."""
        self._thread.join(within)
        return None if self._thread.is_alive() else self.seen

    def _watch(self) -> None:
        with client() as http:
            passed = 0.0
            while passed < self._longest:
                sent = time.perf_counter()
                status = self._api.call(self._holder, http=http)
                since, now = self._since, time.perf_counter()
                passed = now - since if since is not None else 0.0
                if status == REFUSED:
                    self.seen.seconds = passed
                    return
                late = since is not None and sent > since
                self.seen.let_through += status == OK and late
                if passed > SOON:
                    time.sleep(PAUSE)


def client() -> httpx.Client:
    """Connections of somebody; on this machine none of them is encrypted."""
    return httpx.Client(trust_env=False, verify=False, timeout=PATIENCE)  # noqa: S501
