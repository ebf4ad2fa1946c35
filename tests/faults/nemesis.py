"""What goes wrong, one thing after the other, in an order that a seed decides. Each fault is in
the history from when it began until whoever was hit had been started again.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import redis

from tests.faults.history import Recorder
from tests.faults.house import House
from tests.faults.liveness import COURIER, REDIS, STORE
from tests.faults.processes import wait_until_ready

PAUSE = (3.0, 8.0)
REDIS_PAUSE_MS = 1500


class Nemesis:
    """Does harm until the time is over, then leaves everything running."""

    def __init__(
        self, house: House, recorder: Recorder, seed: int, pause: tuple[float, float] = PAUSE
    ) -> None:
        self.done = 0
        self._house = house
        self._recorder = recorder
        self._pause = pause
        self._chance = random.Random(seed)
        self._waiting: list[Callable[[], str]] = []
        self._faults: list[Callable[[], str]] = [self.kill_worker, self.kill_server]
        if house.worker is not None:
            self._faults.append(self.kill_courier)
        if house.postgres is not None:
            self._faults.append(self.restart_postgres)
        if house.redis is not None:
            self._faults += [self.pause_redis, self.flush_redis, self.restart_redis]

    def until(self, ends: float) -> None:
        """Each kind of fault in turn, in shuffled rounds."""
        while True:
            pause = self._chance.uniform(*self._pause)
            if time.monotonic() + pause > ends:
                return
            time.sleep(pause)
            self._one()

    def until_told(self, over: threading.Event) -> None:
        """The same, for as long as it takes."""
        while not over.wait(self._chance.uniform(*self._pause)):
            self._one()

    def _one(self) -> None:
        if not self._waiting:
            self._waiting = self._chance.sample(self._faults, len(self._faults))
        fault = self._waiting.pop()
        with self._recorder.doing("nemesis", "fault", fault.__name__) as doing:
            doing.ok(hit=fault())
        self.done += 1

    def kill_worker(self) -> str:
        """One process of one server; the server must replace it by itself."""
        number = self._chance.randrange(len(self._house.providers))
        provider = self._house.providers[number]
        victim = self._chance.choice(provider.workers())
        os.kill(victim, signal.SIGKILL)
        ends = time.monotonic() + 30
        while victim in provider.workers() or len(provider.workers()) < 2:
            if time.monotonic() > ends or provider.child.poll() is not None:
                raise RuntimeError("a server did not replace its worker")
            time.sleep(0.02)
        return str(self._house.plan.providers[number])

    def kill_server(self) -> str:
        """A whole server with all its processes."""
        number = self._chance.randrange(len(self._house.providers))
        provider = self._house.providers[number]
        provider.kill()
        provider.start()
        wait_until_ready(self._house.plan.providers[number])
        return str(self._house.plan.providers[number])

    def kill_courier(self) -> str:
        """Who brings the notices."""
        if self._house.worker is not None:
            self._house.worker.kill()
            self._house.worker.start()
        return COURIER

    def restart_postgres(self) -> str:
        """At once, as if the power had gone; it recovers from its log."""
        if self._house.postgres is not None:
            self._house.postgres.restart_at_once()
        return STORE

    def pause_redis(self) -> str:
        """It takes commands, and answers later than anybody waits."""
        self._redis().client_pause(REDIS_PAUSE_MS, all=True)
        time.sleep(REDIS_PAUSE_MS / 1000)
        return REDIS

    def flush_redis(self) -> str:
        """It forgets everything."""
        self._redis().flushall()
        return REDIS

    def restart_redis(self) -> str:
        """It dies, and comes back empty."""
        if self._house.redis is not None:
            self._house.redis.stop()
            time.sleep(self._chance.uniform(0.1, 1.0))
            self._house.redis.start()
        return REDIS

    def _redis(self) -> "redis.Redis":
        return redis.Redis.from_url(str(self._house.plan.redis_url), socket_timeout=5)
