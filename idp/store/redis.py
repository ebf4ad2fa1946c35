"""Short-lived facts on Redis (or Valkey).

When Redis does not answer, counting goes on in this process with a stricter share: a limiter
that is down must not become a limiter that lets everything through (PWD-10).
"""

from datetime import datetime, timedelta

import redis
import structlog

from idp.store.volatile import Count, Volatile

TIMEOUT_SECONDS = 0.25
STRICTER = 4
LOCAL_KEYS = 10_000
PREFIX = "idp:fact:"

log = structlog.get_logger()


class RedisVolatile:
    """Facts in Redis, shared by all processes."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client
        self._local: dict[str, tuple[int, datetime]] = {}

    @classmethod
    def connect(cls, url: str) -> Volatile:
        """Facts at this address, with short patience."""
        return cls(
            redis.Redis.from_url(
                url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
        )

    def count(self, key: str, until: datetime, now: datetime) -> int:
        milliseconds = max(1, int((until - now).total_seconds() * 1000))
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.incr(PREFIX + key)
                pipe.pexpire(PREFIX + key, milliseconds, nx=True)
                total, _ = pipe.execute()
            return int(total)
        except redis.RedisError:
            log.warning("redis does not answer; counting in this process only")
            return 1 + (self._count_here(key, until, now) - 1) * STRICTER

    def look(self, key: str, now: datetime) -> Count | None:
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(PREFIX + key)
                pipe.pttl(PREFIX + key)
                total, left = pipe.execute()
        except redis.RedisError:
            here = self._local.get(key)
            return Count(*here) if here is not None and here[1] > now else None
        return Count(int(total), now + timedelta(milliseconds=left)) if total else None

    def forget(self, *keys: str) -> None:
        for key in keys:
            self._local.pop(key, None)
        try:
            self._redis.delete(*(PREFIX + key for key in keys))
        except redis.RedisError:
            log.warning("redis does not answer; a count will end by itself")

    def sweep(self, now: datetime, limit: int) -> int:
        """Redis forgets by itself; what was counted here is a handful."""
        over = [key for key, (_, ends) in self._local.items() if ends <= now][:limit]
        for key in over:
            self._local.pop(key, None)
        return len(over)

    def _count_here(self, key: str, until: datetime, now: datetime) -> int:
        if len(self._local) > LOCAL_KEYS:
            self._local = {k: v for k, v in self._local.items() if v[1] > now}
        total, ends = self._local.get(key, (0, until))
        if ends <= now:
            total, ends = 0, until
        self._local[key] = (total + 1, ends)
        return total + 1
