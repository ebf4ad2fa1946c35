"""Asking the issuer about one token (RFC 7662), behind a breaker.

When the issuer is down, threads must not pile up waiting for it: after a few failures nobody
asks for a moment, then one does for all.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from idp.guard.jwks import IssuerKeys, WouldWait
from idp.guard.wire import Unanswered, Wire

FAILURES = 3
PAUSE, LONGEST_PAUSE = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the issuer said of a token, and when it was asked: no answer is younger than its
    question. `heard` is how far the feed had come then.
    """

    active: bool
    said: dict[str, Any]
    asked_at: float
    heard: int

    @property
    def jti(self) -> object:
        return self.said.get("jti")

    @property
    def policies(self) -> tuple[str, ...]:
        """Those the issuer names; others count besides."""
        named = self.said.get("policies")
        return tuple(n for n in named if isinstance(n, str)) if isinstance(named, list) else ()


@dataclass(slots=True)
class Breaker:
    """Closed while things go well; open for a while after several failures in a row."""

    ticks: Callable[[], float]
    failures: int = 0
    open_until: float = 0.0
    pause: float = PAUSE
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def open(self) -> bool:
        return self.failures >= FAILURES and self.ticks() < self.open_until

    def admit(self) -> None:
        """Raises `Unanswered` while it is open; afterwards lets one through to try."""
        if self.failures < FAILURES:
            return
        with self._lock:
            now = self.ticks()
            if now < self.open_until:
                raise Unanswered("the issuer did not answer a moment ago")
            self.open_until = now + self.pause  # the others wait for what this one finds

    def succeeded(self) -> None:
        """All is well again."""
        self.failures, self.pause = 0, PAUSE

    def failed(self) -> None:
        """One more; from the third on, longer and longer pauses."""
        with self._lock:
            self.failures += 1
            if self.failures >= FAILURES:
                self.open_until = self.ticks() + self.pause
                self.pause = min(2 * self.pause, LONGEST_PAUSE)


class Introspection:
    """Asks the issuer; without credentials of our own it cannot."""

    def __init__(
        self, keys: IssuerKeys, wire: Wire, ticks: Callable[[], float], *, able: bool
    ) -> None:
        self._keys = keys
        self._wire = wire
        self._ticks = ticks
        self._able = able
        self.breaker = Breaker(ticks)
        self.asked = 0

    def ask(self, token: str, heard: int, *, wait: bool = True) -> Answer:
        """What the issuer says right now; raises `Unanswered`, `WouldWait`."""
        if not self._able:
            raise Unanswered("no credentials to ask with")
        if not wait:
            raise WouldWait
        self.breaker.admit()
        asked_at = self._ticks()
        try:
            endpoint = str(self._keys.metadata()["introspection_endpoint"])
            said = self._wire.post(endpoint, {"token": token})
        except (Unanswered, KeyError):
            self.breaker.failed()
            raise Unanswered from None
        self.breaker.succeeded()
        self.asked += 1
        return Answer(said.get("active") is True, said, asked_at, heard)
