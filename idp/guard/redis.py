"""Follows the feed through Redis: news within a millisecond or two, however many guards listen.

Redis makes it fast and HTTPS makes it sure. About three times per `max_silence` the issuer
itself is asked whether anything is missing; only its answer is a reason to believe, and the
question confirms how far we have come. A Redis that loses, repeats or makes up news can
therefore never make a token live longer than by `max_silence`.
"""

import json
from typing import Any

import redis

from idp.guard.https import LONGEST_WAIT, Follower
from idp.guard.replica import Garbled, Hole, News, news
from idp.guard.wire import Unanswered
from idp.policies.feed import FIELD, STREAM

CONNECT_SECONDS = 0.25
BLOCK_SECONDS = 0.25
SILENT_FOR = 1.0
AT_ONCE = 100


class RedisFollower(Follower):
    """Reads the stream, and asks the issuer now and then, or when the stream has a hole."""

    def __init__(self, url: str, *given: Any) -> None:  # noqa: ANN401 - those of Follower
        super().__init__(*given)
        self._redis = redis.Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=BLOCK_SECONDS + CONNECT_SECONDS,
        )
        self._away_until = 0.0

    def close(self) -> None:
        """No longer."""
        super().close()
        self._redis.close()

    def _follow(self) -> None:
        every = min(LONGEST_WAIT, self._max_silence / 3)
        complete, due = False, self._ticks()
        while not self._ended.is_set():
            before, wait, asking = self._replica.seq, 0.0, True
            if not complete or self._away:
                wait = every if complete else 0.0
            elif self._ticks() < due:
                asking = not self._read(due - self._ticks())
            if asking:
                complete = self._ask(wait)
                self._doubt(before, due)
                due = self._ticks() + every
            self._replica.sweep()

    @property
    def _away(self) -> bool:
        """Whether Redis did not answer a moment ago; then we follow over HTTPS."""
        return self._ticks() < self._away_until

    def _doubt(self, before: int, due: float) -> None:
        """A stream that made us ask early although nothing was missing is left alone a while."""
        if self._ticks() < due and self._replica.seq == before:
            self._away_until = self._ticks() + SILENT_FOR

    def _ask(self, wait: float) -> bool:
        """One question to the issuer; True when nothing is missing."""
        try:
            complete = self.poll(wait)
        except Hole:
            return False
        except (Unanswered, Garbled) as error:
            self.trouble = str(error)
            if not self._replica.complete:
                self._rest()
            return self._replica.complete
        self._heard()
        return complete

    def _read(self, seconds: float) -> bool:
        """Wait for news in the stream; False when the issuer must be asked at once."""
        replica = self._replica
        stream = STREAM.format(epoch=replica.epoch)
        block = max(1, int(min(seconds, BLOCK_SECONDS) * 1000))
        try:
            said: Any = self._redis.xread({stream: f"{replica.seq}-0"}, count=AT_ONCE, block=block)
        except redis.RedisError as error:
            self.trouble = type(error).__name__
            self._away_until = self._ticks() + SILENT_FOR
            return False
        entries = said[0][1] if said else []
        return all(self._hear_entry(entry) for _, entry in entries)

    def _hear_entry(self, entry: dict[bytes, bytes]) -> bool:
        """Learn from one entry; False when it does not follow, or wants to be confirmed."""
        try:
            told = json.loads(entry[FIELD.encode()])
            piece = news({"epoch": self._replica.epoch, "head": told["to"], **told})
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        if not self._follows(piece):
            return False
        self._replica.learn(piece)
        return told.get("strict") is not True

    def _follows(self, piece: News) -> bool:
        replica = self._replica
        return (piece.epoch, piece.start, piece.head) == (replica.epoch, replica.seq, piece.to)
