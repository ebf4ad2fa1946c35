"""How often: sign-ins, codes, client secrets, registrations.

Tries are counted before they are made, so that guesses made at once are all counted. Whoever
guesses a password waits longer each time, up to a quarter of an hour; nobody is ever locked
out for good. A browser in which the person has signed in before has an allowance of its own,
so that a stranger's guesses elsewhere do not keep the owner out (PWD-07, PWD-08).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.store.volatile import COUNTS, Volatile

__all__ = ["Limit", "Throttle", "Throttled", "network", "pause"]

IPV6_PREFIX = 64
MOST_DOUBLINGS = 20
MOST_REMEMBERED = 10_000


class Throttled(Exception):
    """Too many tries; come back later."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many tries")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in such a time, and then none. With `pause`, one more after each pause;
    the pauses double up to the longest.
    """

    tries: int
    within: timedelta
    pause: timedelta | None = None
    longest: timedelta = timedelta(minutes=16)


MINUTE = timedelta(minutes=1)

LIMITS = {
    "account": Limit(10, timedelta(days=1), pause=MINUTE),
    "device": Limit(10, timedelta(days=1), pause=MINUTE),
    "second_factor": Limit(5, timedelta(days=1), pause=MINUTE),  # by account
    "second_factor_here": Limit(5, timedelta(days=1), pause=MINUTE),  # where it is at home
    "address": Limit(100, 10 * MINUTE),
    "client": Limit(60, MINUTE),
    "registration": Limit(20, 60 * MINUTE),
    "device_request": Limit(100, 10 * MINUTE),
    "user_code": Limit(10, 10 * MINUTE),  # by session; RFC 8628 section 5.1
    "user_codes_of_address": Limit(50, 10 * MINUTE),
    "user_codes": Limit(1000, 10 * MINUTE),  # of all
}


class Throttle:
    """Counts tries, and says when there were too many."""

    def __init__(self, volatile: Volatile, limits: dict[str, Limit] | None = None) -> None:
        self._volatile = volatile
        self._limits = LIMITS | (limits or {})
        self._failed_here: dict[str, datetime] = {}

    def count(self, kind: str, who: str, now: datetime) -> None:
        """Count one try; raises `Throttled` when it is one too many."""
        limit, key = self._limits[kind], _key(kind, who)
        total = self._volatile.count(key, now + limit.within, now)
        if limit.pause is not None and total >= limit.tries:
            self._pause(key, limit, now)
        elif total > limit.tries:
            raise Throttled(self._left(key, now) or limit.within)

    def failed(self, kind: str, who: str, now: datetime) -> None:
        """Count a try that was wrong, where only those are counted; see `barred`."""
        if len(self._failed_here) >= MOST_REMEMBERED:
            self._failed_here.clear()
        self._failed_here[_key(kind, who)] = now + self._limits[kind].within
        self.count(kind, who, now)

    def barred(self, kind: str, who: str, now: datetime) -> None:
        """Raises `Throttled` for who failed too often, before even a right try is looked at.

        The store is asked only about those who failed in this process: for everybody else it
        costs nothing.
        """
        key = _key(kind, who)
        if self._failed_here.get(key, now) <= now:
            return
        seen = self._volatile.look(key, now)
        if seen is not None and seen.total > self._limits[kind].tries:
            raise Throttled(seen.ends - now)

    def clear(self, kind: str, who: str, now: datetime) -> None:
        """A try was good: those before it are forgiven."""
        key = _key(kind, who)
        over = [key]
        if self._limits[kind].pause is not None:
            seen = self._volatile.look(_pauses(key), now)
            number = seen.total if seen is not None else 0
            over += [_pauses(key), f"{key}:{number}", f"{key}:{number + 1}"]
        self._volatile.forget(*over)

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget counts that are over; returns how many went."""
        return self._volatile.sweep(now, limit)

    def _pause(self, key: str, limit: Limit, now: datetime) -> None:
        """Of all who try now one is let through, and the next pause begins with that try. Each
        pause is a count of its own, and the number of pauses is moved by who began one: tries
        that were refused make nothing longer.
        """
        seen = self._volatile.look(_pauses(key), now)
        number = seen.total if seen is not None else 0
        left = self._left(f"{key}:{number}", now)
        if left is not None:
            raise Throttled(left)
        wait, following = pause(number + 1, limit), f"{key}:{number + 1}"
        if self._volatile.count(following, now + wait, now) > 1:
            raise Throttled(self._left(following, now) or wait)
        self._volatile.count(_pauses(key), now + limit.within, now)

    def _left(self, key: str, now: datetime) -> timedelta | None:
        seen = self._volatile.look(key, now)
        return seen.ends - now if seen is not None else None


def pause(number: int, limit: Limit) -> timedelta:
    """How long the first, second, third pause is."""
    first = limit.pause or limit.within
    return min(first * (1 << min(number - 1, MOST_DOUBLINGS)), max(first, limit.longest))


def _pauses(key: str) -> str:
    return f"{key}:pauses"


def network(address: str) -> str:
    """What counts as one neighbour: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    mapped = getattr(parsed, "ipv4_mapped", None)  # how a socket for both kinds shows IPv4
    if mapped is not None or parsed.version == 4:  # noqa: PLR2004 - the version of the protocol
        return str(mapped or parsed)
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))


def _key(kind: str, who: str) -> str:
    return f"{COUNTS}{kind}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()}"
