"""Short-lived facts on Redis (or Valkey).

When Redis does not answer, counting goes on in this process with a stricter share: a limiter
that is down must not become a limiter that lets everything through (PWD-10).
"""

import threading
import zlib
from datetime import datetime, timedelta
from typing import Self

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from idp.store.volatile import Count

TIMEOUT_SECONDS = 0.25
STRICTER = 4
LOCAL_KEYS = 10_000
SHARED_KEYS = 100
PREFIX = "idp:fact:"

log = structlog.get_logger()


def connect(url: str) -> "redis.Redis":
    """Redis at this address, asked once and not for long."""
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


class RedisVolatile:
    """Facts in Redis, shared by all processes."""

    def __init__(self, client: "redis.Redis", *, local_keys: int = LOCAL_KEYS) -> None:
        self._redis = client
        self._local_keys = local_keys
        self._local: dict[str, tuple[int, datetime]] = {}
        self._lock = threading.Lock()

    @classmethod
    def connect(cls, url: str, *, local_keys: int = LOCAL_KEYS) -> Self:
        """Facts at this address, with short patience: a request is not kept waiting for them,
        and a count that got no answer is not counted twice.
        """
        return cls(connect(url), local_keys=local_keys)

    def answers(self) -> bool:
        """Whether Redis is there, and lets us in."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def count(self, key: str, until: datetime, now: datetime) -> int:
        milliseconds = max(1, int((until - now).total_seconds() * 1000))
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(PREFIX + key, 0, px=milliseconds, nx=True)
                pipe.incr(PREFIX + key)
                _, total = pipe.execute()
            return int(total)
        except redis.RedisError as error:
            log.warning("redis does not answer; counting in this process only", error=str(error))
            return 1 + (self._count_here(key, until, now) - 1) * STRICTER

    def look(self, key: str, now: datetime) -> Count | None:
        try:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(PREFIX + key)
                pipe.pttl(PREFIX + key)
                total, left = pipe.execute()
        except redis.RedisError:
            here = self._local.get(self._local_key(key))
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
        with self._lock:
            over = [key for key, (_, ends) in self._local.items() if ends <= now][:limit]
            for key in over:
                self._local.pop(key, None)
        return len(over)

    def _count_here(self, key: str, until: datetime, now: datetime) -> int:
        with self._lock:
            if len(self._local) > self._local_keys:
                self._local = {k: v for k, v in self._local.items() if v[1] > now}
            name = self._local_key(key)
            total, ends = self._local.get(name, (0, until))
            if ends <= now:
                total, ends = 0, until
            self._local[name] = (total + 1, ends)
        return total + 1

    def _local_key(self, key: str) -> str:
        """When very many are counted here, those who come late share a count: who fills the
        memory makes things stricter, and never empties anybody's count.
        """
        if key in self._local or len(self._local) < self._local_keys:
            return key
        return f"shared:{zlib.crc32(key.encode()) % SHARED_KEYS}"
