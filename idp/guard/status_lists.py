"""Status lists of the issuer, fetched now and then: whether a token was taken back, offline.

A list is fetched again when its `ttl` is over, once for all threads. If that fails it counts
until its `exp` and no longer (promise P5).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from idp.crypto import jose
from idp.crypto.status_list import MEDIA_TYPE, TYP, Reference, StatusList, unpack
from idp.guard.jwks import ALGORITHMS, IssuerKeys, WouldWait
from idp.guard.wire import Unanswered, Wire

MOST_LISTS = 32
PAUSE = 1.0
LONGEST_TOKEN = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """A list, and how old what it says was on our own clock at a moment we know."""

    said: StatusList
    as_of: float


class StatusLists:
    """The lists of one issuer, as far as they were needed."""

    def __init__(
        self,
        issuer: str,
        keys: IssuerKeys,
        wire: Wire,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._start = f"{issuer}/"
        self._keys = keys
        self._wire = wire
        self._clock = clock
        self._ticks = ticks
        self._held: OrderedDict[str, Fetched] = OrderedDict()
        self._tried_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def valid(self, reference: Reference, *, wait: bool) -> float | None:
        """How old the knowledge is, in seconds, that the token was not taken back; None when it
        was. Raises `Unanswered` when nobody can say, `WouldWait`, and `Unverifiable`.
        """
        fetched = self._fresh(reference.uri, wait=wait)
        if not fetched.said.valid(reference.idx):
            return None
        return max(0.0, self._ticks() - fetched.as_of)

    def _fresh(self, uri: str, *, wait: bool) -> Fetched:
        if not uri.startswith(self._start):
            raise jose.Unverifiable("a list of somebody else")
        held = self._held.get(uri)
        if held is not None and self._ticks() - held.as_of < held.said.ttl:
            return held
        if self._due(uri):
            if not wait:
                raise WouldWait
            with self._lock:
                if self._held.get(uri) is held and self._due(uri):
                    self._fetch(uri)
        held = self._held.get(uri)
        if held is None or held.said.expires_at <= self._clock().timestamp():
            raise Unanswered("no list that counts")
        return held

    def _due(self, uri: str) -> bool:
        """A list that could not be fetched a moment ago is not asked for again at once."""
        return self._ticks() - self._tried_at.get(uri, float("-inf")) >= PAUSE

    def _fetch(self, uri: str) -> None:
        began, now = self._ticks(), self._clock()
        self._tried_at[uri] = began
        try:
            token = self._wire.get_text(uri, MEDIA_TYPE)
            held = self._keys.held(jose.header_of(token, LONGEST_TOKEN).get("kid"))
            claims = jose.verify(token, held.verifiers, ALGORITHMS, typ=TYP, longest=LONGEST_TOKEN)
            said = unpack(claims, uri, now)
        except (Unanswered, jose.Unverifiable):
            return
        before = self._held.get(uri)
        if before is not None and said.issued_at < before.said.issued_at:
            return  # caches need not be of one mind, but what was taken back stays so
        age = max(0.0, now.timestamp() - said.issued_at)  # it may come from a cache
        self._held[uri] = Fetched(said, began - age)
        self._held.move_to_end(uri)
        while len(self._held) > MOST_LISTS:
            gone, _ = self._held.popitem(last=False)
            self._tried_at.pop(gone, None)
