"""Follows the feed over HTTPS: one thread, one long poll after the other.

The poll itself tells the issuer how far we have come, and renews our lease. An empty answer is
a heartbeat: it says that nothing else had ended at that moment.
"""

import random
import threading
from collections.abc import Callable
from typing import Any

from idp.guard.replica import Garbled, Hole, Replica, news
from idp.guard.wire import Unanswered, Wire

LONGEST_WAIT = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
MOST_BYTES = 4 * 1024 * 1024

Policies = tuple[str, ...]


class Follower:
    """Keeps a replica up to date until it is closed. `policies` are those of our API now."""

    def __init__(
        self,
        wire: Wire,
        url: str,
        name: str,
        audience: str,
        replica: Replica,
        ticks: Callable[[], float],
        max_silence: float,
    ) -> None:
        self.policies: Policies = ()
        self.trouble: str | None = None
        self._wire = wire
        self._url = url
        self.name = name
        self._audience = audience
        self._replica = replica
        self._ticks = ticks
        self._max_silence = max_silence
        self._pause = FIRST_PAUSE
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="idp-feed", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def close(self) -> None:
        """No longer; the poll that is under way is waited for, and it is short."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(2 * LONGEST_WAIT)

    def poll(self, wait: float) -> bool:
        """Ask once; True when nothing is missing now. Raises `Unanswered`, `Garbled`, `Hole`."""
        replica, sent = self._replica, self._ticks()
        query: dict[str, str | int] = {"guard": self.name, "wait": int(wait * 1000)}
        if replica.epoch is not None:
            query |= {"after": replica.seq, "epoch": replica.epoch}
        said = self._wire.get_as_ourselves(self._url, query)
        return self.hear(said, sent)

    def hear(self, said: dict[str, Any], sent: float) -> bool:
        """Learn from one answer, and believe it from the moment it tells of (design 4)."""
        policies, silence = self._policies(said), self._silence(said)
        waited = min(_milliseconds(said.get("waited", 0)), max(0.0, self._ticks() - sent))
        complete = self._replica.learn(news(said))
        if self.policies != policies:
            self.policies = policies
        if complete:
            self._replica.believe(sent + waited, silence)
        return complete

    def _follow(self) -> None:
        wait, complete = min(LONGEST_WAIT, self._max_silence / 3), False
        while not self._ended.is_set():
            try:
                complete = self.poll(wait if complete else 0.0)
                self._replica.sweep()
            except Hole:
                complete = False
            except (Unanswered, Garbled) as error:
                self.trouble, complete = str(error), False
                self._rest()
            else:
                self._heard()

    def _heard(self) -> None:
        """All is well again."""
        self._pause, self.trouble = FIRST_PAUSE, None

    def _rest(self) -> None:
        """Wait before the next try: longer and longer, and not all guards at once."""
        self._ended.wait(self._pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        longest = min(LONGEST_PAUSE, max(FIRST_PAUSE, self._max_silence / 2))
        self._pause = min(2 * self._pause, longest)

    def _policies(self, said: dict[str, Any]) -> Policies:
        """Those of our API; a feed that does not name it is not for us."""
        every = said.get("policies")
        ours = every.get(self._audience) if isinstance(every, dict) else None
        if not isinstance(ours, list) or not all(isinstance(name, str) for name in ours):
            raise Garbled("our API is not named")
        return tuple(ours)

    def _silence(self, said: dict[str, Any]) -> float:
        """The shorter of what we and what the issuer hold to be bearable."""
        theirs = said.get("max_silence")
        if isinstance(theirs, bool) or not isinstance(theirs, int | float) or not theirs > 0:
            raise Garbled("no max_silence")
        return min(self._max_silence, theirs)


def _milliseconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise Garbled("no time")
    return value / 1000
