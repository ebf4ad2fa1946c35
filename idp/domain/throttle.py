"""How often: sign-ins, client secrets, registrations.

Tries are counted before they are made, so that guesses made at once are all counted. Delays
grow and end by themselves; nobody is ever locked out for good. A browser in which the person
has signed in before has an allowance of its own, so that a stranger's guesses elsewhere do
not keep the owner out (PWD-07, PWD-08).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.store.volatile import Volatile

__all__ = ["Limit", "Throttle", "Throttled"]

IPV6_PREFIX = 64


class Throttled(Exception):
    """Too many tries; come back later."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many tries")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries in such a time."""

    tries: int
    within: timedelta


LIMITS = {
    "account": Limit(10, timedelta(minutes=10)),
    "device": Limit(10, timedelta(minutes=10)),
    "address": Limit(100, timedelta(minutes=10)),
    "client": Limit(60, timedelta(minutes=1)),
    "registration": Limit(20, timedelta(hours=1)),
}


class Throttle:
    """Counts tries, and says when there were too many."""

    def __init__(self, volatile: Volatile, limits: dict[str, Limit] | None = None) -> None:
        self._volatile = volatile
        self._limits = LIMITS | (limits or {})

    def count(self, kind: str, who: str, now: datetime) -> None:
        """Count one try; raises `Throttled` when it is one too many."""
        limit = self._limits[kind]
        total = self._volatile.count(_key(kind, who), now + limit.within, now)
        if total > limit.tries:
            ends = self._volatile.ends(_key(kind, who), now)
            raise Throttled(ends - now if ends is not None else limit.within)

    def clear(self, kind: str, who: str) -> None:
        """A try was good: those before it are forgiven."""
        self._volatile.forget(_key(kind, who))


def network(address: str) -> str:
    """What counts as one neighbour: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:  # noqa: PLR2004 - the version of the protocol
        return str(parsed)
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))


def _key(kind: str, who: str) -> str:
    return f"throttle:{kind}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()}"
