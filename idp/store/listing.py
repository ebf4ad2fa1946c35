"""A copy of the list of good tokens in Redis (or Valkey), for the policy `allow_list`.

The list itself is in the database. A guard that finds a token here saves the way to the
provider; a guard that does not, asks. So losing the copy costs time and never lets anything
through, and a token struck here stays struck, whoever offers it late.
"""

from datetime import datetime

import redis
import structlog

TIMEOUT_SECONDS = 0.25
PREFIX = "idp:listed:"
GOOD = "1"
STRUCK = "0"

log = structlog.get_logger()


class RedisListing:
    """The copy, written before the commit of what it tells of."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    @classmethod
    def connect(cls, url: str) -> "RedisListing":
        """The copy at this address, with short patience."""
        return cls(
            redis.Redis.from_url(
                url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
            )
        )

    def offer(self, jti: str, until: datetime, now: datetime) -> None:
        """Put a token on the copy, unless it was struck before."""
        self._set(jti, GOOD, until, now, only_if_new=True)

    def strike(self, jti: str, until: datetime, now: datetime) -> bool:
        """Take a token off the copy. False when Redis does not answer: a guard that can still
        read there finds the token until the feed tells it.
        """
        return self._set(jti, STRUCK, until, now, only_if_new=False)

    def _set(
        self, jti: str, value: str, until: datetime, now: datetime, *, only_if_new: bool
    ) -> bool:
        left = max(1, int((until - now).total_seconds()) + 1)
        try:
            self._redis.set(PREFIX + jti, value, ex=left, nx=only_if_new)
        except redis.RedisError:
            log.warning("redis does not answer; guards will ask the provider")
            return False
        return True
