"""Who visits the lab. A browser holds one random number; all else stays on this server."""

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from client_demo.lab.outage import Outage
from client_demo.lab.proofs import DeviceKey
from client_demo.lab.wire import Entry
from client_demo.visits import VISIT_LIVES, Visit

MOST_GUESTS = 1000
MOST_ENTRIES = 120
MOST_MEASURED = 20


@dataclass
class Thief:
    """A second party with copies. It has a key of its own, and never the owner's."""

    access_token: str | None = None
    refresh_token: str | None = None
    let_in: bool | None = None
    key: DeviceKey | None = None


@dataclass
class Clock:
    """From the click on "sign out" to the first refusal."""

    started: float
    expires: float | None
    answered: float | None = None
    refused: float | None = None
    gone: bool = False
    calls: int = 0

    @property
    def ms(self) -> int | None:
        """What was measured, if it is over."""
        return None if self.refused is None else round((self.refused - self.started) * 1000)

    def shown(self) -> dict[str, Any]:
        answered = None if self.answered is None else (self.answered - self.started) * 1000
        return vars(self) | {"ms": self.ms, "answered_ms": answered}


@dataclass
class Stand:
    """One browser at one exhibit."""

    visit: Visit
    others: list[str] = field(default_factory=list)
    key: DeviceKey | None = None
    lost_key: DeviceKey | None = None
    lost_token: str | None = None
    rebound: bool = False
    thief: Thief | None = None
    clock: Clock | None = None
    roles: list[str] | None = None
    asked: str = ""
    left_at: float | None = None
    acting: threading.RLock = field(default_factory=threading.RLock)
    _entries: deque[tuple[int, Entry]] = field(default_factory=lambda: deque(maxlen=MOST_ENTRIES))
    _numbers: Any = field(default_factory=lambda: count(1))

    def note(self, entry: Entry) -> Entry:
        """The next line of the timeline."""
        self._entries.append((next(self._numbers), entry))
        return entry

    def say(self, lane: str, words: str, tone: str = "plain", **more: Any) -> Entry:  # noqa: ANN401
        """A line about something that was no request of ours."""
        return self.note(Entry(lane, words, tone, **more))

    def timeline(self) -> list[dict[str, Any]]:
        """Oldest first."""
        return [entry.shown(number) for number, entry in list(self._entries)]


@dataclass
class Guest:
    """One browser, at all exhibits."""

    id: str
    until: float
    stands: dict[str, Stand] = field(default_factory=dict)
    measured: dict[str, list[int]] = field(default_factory=dict)
    outage: Outage | None = None

    def measure(self, name: str, ms: int) -> None:
        """How long a pass outlived a sign-out, once more."""
        self.measured[name] = [*self.measured.get(name, []), ms][-MOST_MEASURED:]


class Guests:
    """All browsers of this process."""

    def __init__(self) -> None:
        self._guests: dict[str, Guest] = {}
        self._lock = threading.Lock()

    def find(self, guest_id: str | None) -> Guest | None:
        guest = self._guests.get(guest_id or "")
        return guest if guest is not None and guest.until > time.time() else None

    def start(self) -> Guest:
        """A browser we do not know; when there are too many, the oldest is forgotten."""
        with self._lock:
            while len(self._guests) >= MOST_GUESTS:
                del self._guests[next(iter(self._guests))]
            guest = Guest(secrets.token_urlsafe(32), time.time() + VISIT_LIVES)
            self._guests[guest.id] = guest
            return guest

    def renamed(self, guest: Guest) -> Guest:
        """Under a fresh number: whoever knew the old one before the sign-in knows nothing."""
        with self._lock:
            self._guests.pop(guest.id, None)
            guest.id = secrets.token_urlsafe(32)
            guest.until = time.time() + VISIT_LIVES
            self._guests[guest.id] = guest
            return guest
