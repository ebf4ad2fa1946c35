"""What a relying party remembers of its visitors, on the server: the browser has only an id.

Every visit has a generation. Signing out moves it on, so that a refresh that was under way
when the sign-out came finds that it is too late, and gives up what it brings. A sign-in that
was under way finds its session among those that are over.
"""

import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

FLOW_LIVES = 600
MOST_FLOWS = 8
VISIT_LIVES = 8 * 3600
IDLE_LIVES = 1800
MOST_VISITS = 10_000


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in that left from here and has not come back."""

    nonce: str
    verifier: str
    next: str
    until: float


@dataclass
class Visit:
    """One browser's visit."""

    id: str
    until: float
    generation: int = 0
    user: dict[str, Any] | None = None
    tokens: dict[str, Any] = field(default_factory=dict)
    ended_at: float | None = None
    ended_by: str = ""
    last_access_token: str | None = None
    flows: dict[str, Flow] = field(default_factory=dict)
    renewing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def id_token(self) -> str | None:
        """The ID token of the sign-in, to name the session when it ends."""
        return self.tokens.get("id_token")


class Visits:
    """All visits of this process, and the sign-outs it was told of."""

    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}
        self._seen: dict[str, float] = {}
        self._over: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.RLock()

    def find(self, visit_id: str | None) -> Visit | None:
        """The visit of a browser, unless it has lasted too long."""
        visit = self._visits.get(visit_id or "")
        return visit if visit is not None and visit.until > time.time() else None

    def start(self) -> Visit:
        """The visit of a browser we do not know. It is short unless somebody signs in."""
        with self._lock:
            return self._opened(IDLE_LIVES)

    def leave(self, visit: Visit, state: str, flow: Flow) -> None:
        """Remember a sign-in that leaves from here; of too many, the oldest is forgotten."""
        with self._lock:
            visit.flows[state] = flow
            while len(visit.flows) > MOST_FLOWS:
                del visit.flows[next(iter(visit.flows))]

    def come_back(self, visit: Visit, state: str) -> Flow | None:
        """The sign-in that comes back with this state: once, in this browser, in time."""
        with self._lock:
            flow = visit.flows.pop(state, None)
        return flow if flow is not None and flow.until > time.time() else None

    def sign_in(self, old: Visit, user: dict[str, Any], tokens: dict[str, Any]) -> Visit | None:
        """A visit under a fresh id, with who it is and the tokens, here and nowhere else.

        None when a sign-out of this very session overtook the sign-in.
        """
        with self._lock:
            if self._is_over(user):
                return None
            self._visits.pop(old.id, None)
            old.generation += 1
            visit = self._opened(VISIT_LIVES)
            visit.user, visit.tokens, visit.flows = user, tokens, old.flows
            return visit

    def keep_refreshed(self, visit: Visit, generation: int, tokens: dict[str, Any]) -> bool:
        """Keep what a refresh brought, unless a sign-out came in between."""
        with self._lock:
            if visit.generation != generation or visit.user is None:
                return False
            visit.tokens = visit.tokens | tokens
            return True

    def end(self, visit: Visit, by: str) -> None:
        """The visitor is signed out; the last token is kept to show that it is refused."""
        with self._lock:
            if visit.user is None:
                return
            visit.generation += 1
            visit.last_access_token = visit.tokens.get("access_token")
            visit.user, visit.tokens = None, {}
            visit.ended_at, visit.ended_by = time.time(), by

    def end_all(self, said: dict[str, Any], by: str) -> bool:
        """A logout token came: end the visits it means (Back-Channel Logout 1.0 section 2.7).

        False when it has been here before.
        """
        name = "sid" if "sid" in said else "sub"
        with self._lock:
            if not self._first_time(said):
                return False
            self._over[name, said[name]] = (said["iat"], time.time() + FLOW_LIVES)
            for visit in list(self._visits.values()):
                if visit.user is not None and visit.user.get(name) == said[name]:
                    self.end(visit, by)
            return True

    def _opened(self, lives: float) -> Visit:
        if len(self._visits) >= MOST_VISITS:
            least = min(self._visits.values(), key=lambda v: (v.user is not None, v.until))
            del self._visits[least.id]
        visit = Visit(secrets.token_urlsafe(32), time.time() + lives)
        self._visits[visit.id] = visit
        return visit

    def _is_over(self, user: dict[str, Any]) -> bool:
        """Whether we were told of the end of this session, or of all this person's, since the
        ID token was made.
        """
        names = [(name, user[name]) for name in ("sid", "sub") if name in user]
        return any(user["iat"] <= self._over[name][0] for name in names if name in self._over)

    def _first_time(self, said: dict[str, Any]) -> bool:
        """Whether this logout token is new; what is long over is forgotten on the way."""
        now = time.time()
        self._seen = {name: until for name, until in self._seen.items() if until > now}
        self._over = {name: over for name, over in self._over.items() if over[1] > now}
        if said["jti"] in self._seen:
            return False
        self._seen[said["jti"]] = max(said["exp"], now) + FLOW_LIVES
        return True
