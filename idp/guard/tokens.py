"""Access tokens that were read once: verified, taken apart, and ready to be asked about.

Cached by the hash of the whole token, never by a part of it (RSG-12). What changes, its
expiry, its liveness, the keys that are published, is looked at every time.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from idp.crypto import jose
from idp.guard.endings import Ended, Endings
from idp.guard.introspection import Answer
from idp.guard.jwks import Held, IssuerKeys
from idp.guard.seen import Seen, taken_apart
from idp.guard.wire import Unanswered

MOST_TOKENS = 10_000
SKEW = jose.SKEW.total_seconds()
COMPACT = 2  # dots in a signed token; a handle has another number


class Tokens:
    """Reads signed tokens, and remembers a bounded number of any kind, and of those that are over.

    What is over is not among those that are good; one lock sees to that.
    """

    def __init__(
        self,
        keys: IssuerKeys,
        issuer: str,
        audience: str,
        most: int,
        ticks: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._most = most
        self._seen: OrderedDict[bytes, Seen] = OrderedDict()
        self._over = Endings(most, ticks)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def find(self, name: bytes, now: float, *, wait: bool) -> Seen | None:
        """The token, if it was read before, has not run out, and the keys are the same still.

        What was verified before keys were fetched anew is verified again (RSG-08). Raises `Ended`.
        """
        seen = self._seen.get(name)
        if seen is None:
            if name in self._over:
                raise Ended
            return None
        if seen.expires_at > now:
            if seen.held is None or seen.held is self._keys.held(None, wait=wait):
                return seen
        with self._lock:
            self._seen.pop(name, None)
        return None

    def read(self, name: bytes, token: str, now: float, *, wait: bool) -> Seen:
        """Verify a signed token (RFC 9068 section 4); raises `Unverifiable`, `Unanswered`."""
        held = self._keys.held(None, wait=wait)
        try:
            claims = held.tokens.read(token)
        except jose.Unverifiable:
            held = self._with_key_of(token, held, wait=wait)
            claims = held.tokens.read(token)
        if claims.get("iat") is None:
            raise jose.Unverifiable("iat is missing")
        jose.check_begun(claims, now + SKEW)
        seen = self.take_apart(name, claims, now)
        seen.held = held
        self.keep(seen)
        return seen

    def take_apart(self, name: bytes, claims: dict[str, Any], now: float) -> Seen:
        """Judge what a token says of itself; raises `Unverifiable`."""
        if claims.get("iss") != self._issuer:
            raise jose.Unverifiable("somebody else's")
        if claims.get("aud") != self._audience and self._audience not in jose.audiences(claims):
            raise jose.Unverifiable("not for this API")
        try:
            seen = taken_apart(name, claims)
        except UnicodeEncodeError:
            raise jose.Unverifiable("a name is no text") from None
        if seen.expires_at <= now:
            raise jose.Unverifiable("expired")
        return seen

    def keep(self, seen: Seen) -> None:
        """Remember a token; the oldest goes when there are too many.

        Raises `Ended` when it is over by now, `Unanswered` when its answer is too old to tell.
        """
        name = seen.name
        with self._lock:
            self._still_good(name, seen.told)
            before = self._seen.get(name)
            if before is None or _newer(seen.told, before.told):
                self._seen[name] = seen
                if len(self._seen) > self._most:
                    self._seen.popitem(last=False)

    def hear(self, seen: Seen, told: Answer) -> None:
        """The issuer said yes; raises what `keep` does."""
        with self._lock:
            self._still_good(seen.name, told)
            if _newer(told, seen.told):
                seen.told = told

    def end(self, name: bytes, *, known: bool) -> None:
        """The issuer said no, and it stays so: at every route, whatever anybody says later."""
        with self._lock:
            self._seen.pop(name, None)
            self._over.note(name, known=known)

    def _still_good(self, name: bytes, told: Answer | None) -> None:
        if name in self._over:
            raise Ended
        if told is not None and not self._over.reach_back_to(told.asked_at):
            raise Unanswered("older than what was forgotten")

    def _with_key_of(self, token: str, held: Held, *, wait: bool) -> Held:
        """Newer keys, if the token names one we do not know; else it stays unverifiable."""
        kid = jose.header_of(token).get("kid")
        newer = held if held.knows(kid) else self._keys.held(kid, wait=wait)
        if newer is held:
            raise jose.Unverifiable("no key of the issuer's verifies it")
        return newer


def _newer(told: Answer | None, before: Answer | None) -> bool:
    """Whether an answer takes the place of another: an older one never does."""
    return before is None or (told is not None and told.asked_at >= before.asked_at)


def name_of(token: str) -> bytes:
    """What a token is remembered by: a hash of all of it."""
    return sha256(token.encode()).digest()
