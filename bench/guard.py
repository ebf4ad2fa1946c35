"""What a guard costs: `python -m bench.guard`.

CPU time of the thread that asks, as the median over several rounds; each round measures its
yardsticks, too: a bare signature check, a verification by joserfc, one introspection over a
connection that stays open.
"""

import argparse
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jws

from bench.servers import Server, provider
from bench.stock import API, SCOPE, Stock
from idp.crypto.compact import decoded
from idp.guard import Arrival, Guard, Need
from idp.guard.replica import News, Replica

ROUNDS, TOKENS, CALLS, QUESTIONS = 7, 300, 5000, 200
TURN = 100  # tokens
MILLION, AN_HOUR = 1_000_000, 3600
MICRO = 1e6

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what was measured, and the most or the least it may be."""

    what: str
    figure: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def verdict(self) -> str:
        """pass, FAIL, or nothing where there is no budget."""
        if self.most is None and self.least is None:
            return ""
        kept = self.figure <= (self.most or self.figure) and self.figure >= (self.least or 0)
        return "pass" if kept else "FAIL"

    @property
    def budget(self) -> str:
        if self.most is not None:
            return f"<= {self.most:g}"
        return f">= {self.least:g}" if self.least is not None else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table; the exit code is 1 when a budget is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.guard", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-"))
        server, stock = stack.enter_context(provider("sqlite", Path(folder)))
        lines = _calls(server, stock, given.rounds)
    lines += _a_million(given.rounds)
    for line in lines:
        print(f"{line.what:<58}{line.figure:>10.2f} {line.unit:<6}{line.budget:>9}  {line.verdict}")
    return 1 if any(line.verdict == "FAIL" for line in lines) else 0


def _calls(server: Server, stock: Stock, rounds: int) -> list[Line]:
    with _guard(server, stock) as guard:
        need, asking = guard.need(SCOPE), guard.need(SCOPE, freshness="introspect")
        seen: dict[str, list[float]] = {}
        for number in range(rounds + 1):
            tokens = stock.access_tokens(TOKENS, (SCOPE,), (API,))
            found = _round(server, guard, need, asking, tokens)
            for name, figure in found.items():
                if number > 0:  # the first one warms up
                    seen.setdefault(name, []).append(figure)
    cost = {name: median(figures) for name, figures in seen.items()}
    again, bare = cost["again"], cost["bare"]
    return [
        Line("a token seen before, with the question to the feed", again, "us", most=15),
        Line(
            "  a verification by joserfc costs so many times that",
            cost["joserfc"] / again,
            "x",
            least=10,
        ),
        Line("  the bare signature check of cryptography", bare / again, "x"),
        Line("  an introspection, both ends", cost["both"] / again, "x", least=100),
        Line("  an introspection, the end that asks", cost["asking"] / again, "x"),
        Line("the bare signature check", bare, "us"),
        Line("a verification by us, beside it", cost["verify"] / bare, "x", most=1.3),
        Line("a call with a token never seen, beside it", cost["first"] / bare, "x", most=1.3),
    ]


def _round(
    server: Server, guard: Guard, need: Need, asking: Need, tokens: Sequence[str]
) -> dict[str, float]:
    keys = guard._here().keys.held(None)
    key, checks = keys.verifiers[0].key, [_taken_apart(token) for token in tokens]
    public = key.get_op_key("verify")
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise TypeError("the provider signs with another kind of key")
    registry = jws.JWSRegistry(algorithms=["ES256"])
    again = _arrival(tokens[0])
    arrivals = [_arrival(token) for token in tokens]
    found = _in_turns(
        ("bare", checks, lambda one: public.verify(one[0], one[1], ec.ECDSA(SHA256()))),
        ("joserfc", tokens, lambda one: jws.deserialize_compact(one, key, registry=registry)),
        ("verify", tokens, keys.tokens.read),
        ("first", arrivals, lambda one: guard.judge(need, one)),
    )
    found["again"] = _each(range(CALLS), lambda _: guard.judge(need, again))
    before = server.processor()[0]
    found["asking"] = _each(range(QUESTIONS), lambda _: guard.judge(asking, again))
    found["both"] = found["asking"] + (server.processor()[0] - before) / QUESTIONS * MICRO
    return found


def _a_million(rounds: int) -> list[Line]:
    """A replica with a million ended ids, and what a look into it costs beside an empty one."""
    empty, replica = (Replica(time.time, time.monotonic) for _ in range(2))
    tracemalloc.start()
    for start in range(0, MILLION, 10_000):
        rows = [
            (random.getrandbits(60), int(time.time()) + 60 + random.randrange(AN_HOUR), None)  # noqa: S311
            for _ in range(10_000)
        ]
        replica.learn(News("e", start, start + len(rows), MILLION, tuple(rows)))
    del rows
    size = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    looks = [tuple(random.getrandbits(60) for _ in range(4)) for _ in range(CALLS)]
    full = median(_each(looks, lambda keys: replica.over(keys, 1, 1)) for _ in range(rounds))
    none = median(_each(looks, lambda keys: empty.over(keys, 1, 1)) for _ in range(rounds))
    return [
        Line("a million ended ids", size, "MB", most=100),
        Line("a look among them", full, "us", most=1),
        Line("a look among none", none, "us"),
    ]


@contextmanager
def _guard(server: Server, stock: Stock) -> Iterator[Guard]:
    guard = Guard(
        f"http://localhost:{server.port}",
        API,
        client_id=stock.api.client_id,
        client_secret=stock.api.secret,
    )
    guard.start()
    while not guard.health()["fresh"]:
        time.sleep(0.05)
    try:
        yield guard
    finally:
        guard.close()


def _in_turns(*yardsticks: tuple[str, Sequence[Any], Callable[[Any], object]]) -> dict[str, float]:
    """Microseconds of this thread for each thing, by name. A few by a few: whatever else the
    machine does happens to all of them.
    """
    found = dict.fromkeys((name for name, _, _ in yardsticks), 0.0)
    for start in range(0, TOKENS, TURN):
        for name, things, do in yardsticks:
            found[name] += _each(things[start : start + TURN], do) * TURN / TOKENS
    return found


def _each(things: Sequence[T], do: Callable[[T], object]) -> float:
    """Microseconds of this thread for each of them."""
    began = time.thread_time()
    for thing in things:
        do(thing)
    return (time.thread_time() - began) / len(things) * MICRO


def _arrival(token: str) -> Arrival:
    return Arrival([f"Bearer {token}"], "GET", "/orders")


def _taken_apart(token: str) -> tuple[bytes, bytes]:
    """The signature as cryptography wants it, and what is signed."""
    signed, _, last = token.rpartition(".")
    raw = decoded(last)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    return encode_dss_signature(r, s), signed.encode()


if __name__ == "__main__":
    raise SystemExit(main())
