"""The feed in Redis: a stream that guards of APIs read for speed.

It repeats what is committed and numbered, and it may lose any of it: a guard that meets a hole
asks over HTTPS, and HTTPS alone is what it trusts. So a Redis that is away is only logged.
"""

import json
import time

import redis
import structlog

from idp.domain.feed import Batch
from idp.policies.feed import FIELD, STREAM

log = structlog.get_logger()

MOST_ENTRIES = 100_000
KEPT_SECONDS = 86_400
LEFT_ALONE_SECONDS = 1.0


class RedisFeed:
    """Adds each batch to the stream of its epoch, under the number of its last row."""

    def __init__(self, client: "redis.Redis", *, strict: bool) -> None:
        self._redis = client
        self._strict = strict
        self._away_until = 0.0

    def publish(self, batch: Batch) -> None:
        """Tell those who read; one who does not answer is left alone for a moment, so that
        sign-outs do not wait for it.
        """
        if time.monotonic() < self._away_until:
            return
        told = {
            "from": batch.start,
            "to": batch.to,
            "rows": batch.rows,
            "strict": self._strict,
        }
        stream = STREAM.format(epoch=batch.epoch)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.xadd(
                    stream, {FIELD: json.dumps(told)}, id=f"{batch.to}-0", maxlen=MOST_ENTRIES
                )
                pipe.expire(stream, KEPT_SECONDS)
                pipe.execute()
        except redis.ResponseError as error:  # another process was faster with a later number
            log.info("a batch is not in the stream; guards ask for it", error=str(error))
        except redis.RedisError as error:
            self._away_until = time.monotonic() + LEFT_ALONE_SECONDS
            log.warning("redis does not answer; guards ask over https", error=str(error))
