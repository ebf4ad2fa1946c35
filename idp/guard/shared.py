"""Short facts that the processes of an API share through Redis: which proofs came before, and
which tokens the issuer has listed as good.
"""

from collections.abc import Callable
from hashlib import sha256

import redis

from idp.guard.jwks import WouldWait
from idp.guard.wire import Unanswered

PATIENCE = 0.25
SILENT_FOR = 1.0
LISTED = "idp:listed:"
PROOF = "idp:proof:"


def connect(url: str) -> "redis.Redis":
    """Connections with short patience, made when they are needed."""
    return redis.Redis.from_url(
        url, protocol=2, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
    )


class SharedReplay:
    """Proofs that came before to any process of this API. Without Redis nobody is let in."""

    waits = True

    def __init__(self, client: "redis.Redis", audience: str) -> None:
        self._redis = client
        self._prefix = f"{PROOF}{sha256(audience.encode()).hexdigest()[:16]}:"

    def first(self, once: str, until: int, now: float) -> bool:
        seconds = max(1, int(until - now) + 1)
        try:
            return self._redis.set(self._prefix + once, 1, nx=True, ex=seconds) is True
        except redis.RedisError as error:
            raise Unanswered from error


class SharedList:
    """The issuer's list of good tokens. What it does not say, the issuer is asked."""

    def __init__(self, client: "redis.Redis", ticks: Callable[[], float]) -> None:
        self._redis = client
        self._ticks = ticks
        self._away_until = 0.0

    def good(self, jti: str, *, wait: bool) -> bool:
        """True when it is listed; a list that does not answer is left alone for a moment."""
        if self._ticks() < self._away_until:
            return False
        if not wait:
            raise WouldWait
        try:
            return self._redis.get(LISTED + jti) == b"1"
        except redis.RedisError:
            self._away_until = self._ticks() + SILENT_FOR
            return False
