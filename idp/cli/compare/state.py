"""How much is remembered: the bytes of all values in all rows, and of the keys in Redis.

Indexes, page headers and the audit trail are left out: they are the same for every policy.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import redis
from sqlalchemy import select

from idp.cli.compare.provider import Running
from idp.store import Base, db

LEFT_OUT = {"event", "fact"}
NUMBER = 8


@dataclass(frozen=True, slots=True)
class State:
    """Rows and bytes by table, and the bytes that Redis uses for our keys."""

    rows: Counter[str]
    sizes: Counter[str]
    redis: int | None


def remembered(provider: Running, redis_url: str) -> State:
    """What is there now."""
    rows: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    with provider.app.app_context():
        for table in Base.metadata.sorted_tables:
            if table.name in LEFT_OUT:
                continue
            for row in db.session.execute(select(table)):
                rows[table.name] += 1
                sizes[table.name] += sum(_size(value) for value in row)
        db.session.rollback()
    return State(rows, sizes, _in_redis(redis_url) if redis_url else None)


def grown(before: State, after: State) -> tuple[int, dict[str, int], int | None]:
    """What came in between: bytes in the database, rows by table, bytes in Redis."""
    more = None
    if after.redis is not None and before.redis is not None:
        more = after.redis - before.redis
    rows = dict(sorted((after.rows - before.rows).items()))
    return (after.sizes - before.sizes).total(), rows, more


def _in_redis(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        sizes = [client.memory_usage(name) for name in client.scan_iter("idp:listed:*")]
    return sum(size for size in sizes if isinstance(size, int))


def _size(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, bool | int | float | datetime):
        return NUMBER
    return len(json.dumps(value, default=str).encode())
