"""What a relying party remembers of its visitors, on the server: the browser has only an id.

Every visit has a generation. Signing out moves it on, so that a refresh that was under way
when the sign-out came finds that it is too late, and gives up what it brings.
"""

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Visit:
    """One browser's visit."""

    id: str
    generation: int = 0
    user: dict[str, Any] | None = None
    sid: str | None = None
    tokens: dict[str, Any] = field(default_factory=dict)
    ended_at: float | None = None
    ended_by: str = ""
    last_access_token: str | None = None
    flow: dict[str, Any] = field(default_factory=dict)


class Visits:
    """All visits of this process, and the logout tokens it has seen."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._seen: dict[str, float] = {}
        self._lock = threading.RLock()

    def find(self, visit_id: str | None) -> Visit | None:
        """The visit of a browser."""
        return self._visits.get(visit_id or "")

    def start(self, old: Visit | None = None) -> Visit:
        """A visit under a fresh id; what the old one was doing goes along."""
        with self._lock:
            visit = Visit(secrets.token_urlsafe(32))
            if old is not None:
                self._visits.pop(old.id, None)
            self._visits[visit.id] = visit
            return visit

    def sign_in(self, visit: Visit, user: dict[str, Any], tokens: dict[str, Any]) -> None:
        """Keep who it is, and the tokens, here and nowhere else."""
        with self._lock:
            visit.user = user
            visit.sid = user.get("sid")
            visit.tokens = tokens
            visit.ended_at = None

    def keep_refreshed(self, visit: Visit, generation: int, tokens: dict[str, Any]) -> bool:
        """Keep what a refresh brought, unless a sign-out came in between."""
        with self._lock:
            if visit.generation != generation or visit.user is None:
                return False
            visit.tokens |= tokens
            return True

    def end(self, visit: Visit, by: str) -> None:
        """The visitor is signed out; the last token is kept to show that it is refused."""
        with self._lock:
            visit.generation += 1
            visit.last_access_token = visit.tokens.get("access_token", visit.last_access_token)
            visit.user, visit.sid, visit.tokens = None, None, {}
            visit.ended_at, visit.ended_by = time.time(), by

    def end_all(self, *, sid: str | None, sub: str | None, by: str) -> int:
        """A logout token came: end the visits it means (Back-Channel Logout 1.0 section 2.7)."""
        with self._lock:
            meant = [
                visit
                for visit in self._visits.values()
                if visit.user is not None
                and (visit.sid == sid if sid is not None else visit.user.get("sub") == sub)
            ]
            for visit in meant:
                self.end(visit, by)
            return len(meant)

    def first_time(self, jti: str, until: float) -> bool:
        """Whether this logout token is here for the first time."""
        with self._lock:
            now = time.time()
            self._seen = {name: ends for name, ends in self._seen.items() if ends > now}
            if jti in self._seen:
                return False
            self._seen[jti] = until
            return True
