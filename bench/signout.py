"""How long three APIs take a token after its sign-out was answered: `python -m bench.signout`.

Each sign-out is a revocation that ends a line, over HTTP; each guard has a thread of its own
that asks about the tokens again and again, while others call the APIs at a steady rate.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from bench.servers import Server, provider
from bench.stock import API, SCOPE, Stock
from bench.wire import Connection, post
from idp.guard import Arrival, Guard, Need, Refused
from tests.support.services import start_redis

GUARDS, SIGN_OUTS, PER_SECOND, CALLS_PER_SECOND = 3, 1000, 25, 500
BATCH, LOOK_EVERY, GIVE_UP = 100, 0.001, 10.0
BUDGET_MS = {"HTTPS": 150.0, "Redis": 50.0}


@dataclass(slots=True)
class Watch:
    """One guard, and the tokens that it must soon refuse."""

    guard: Guard
    need: Need
    pending: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    wrong: int = 0

    def look(self) -> None:
        """Ask about each that is pending, and note how long it was taken."""
        for token, answered in list(self.pending.items()):
            if self.accepts(token):
                if time.perf_counter() - answered > GIVE_UP:
                    self.wrong += 1
                    del self.pending[token]
                continue
            self.took.append(time.perf_counter() - answered)
            del self.pending[token]

    def accepts(self, token: str) -> bool:
        """Whether the API would let it in now."""
        try:
            self.guard.judge(self.need, Arrival([f"Bearer {token}"], "GET", "/orders"))
        except Refused as refused:
            if refused.error != "invalid_token":
                raise
            return False
        return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 when the budget is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.signout", description=__doc__)
    parser.add_argument("--store", default="sqlite", choices=("sqlite", "postgresql"))
    parser.add_argument("--sign-outs", type=int, default=SIGN_OUTS)
    parser.add_argument("--redis", action="store_true", help="news come through Redis")
    given = parser.parse_args(arguments)
    by = "Redis" if given.redis else "HTTPS"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-")))
        redis_url = _redis(stack) if given.redis else None
        more = {"IDP_REDIS_URL": redis_url} if redis_url else None
        server, stock = stack.enter_context(provider(given.store, folder, more))
        watches = [_watch(server, stock, stack, redis_url) for _ in range(GUARDS)]
        calls = _run(server, stock, watches, given.sign_outs)
    took = [seconds * 1000 for watch in watches for seconds in watch.took]
    wrong = sum(watch.wrong for watch in watches)
    cuts = quantiles(took, n=100)
    kept = cuts[98] <= BUDGET_MS[by] and wrong == 0
    print(f"{given.sign_outs} sign-outs at {GUARDS} guards by {by}, {calls:.0f} API calls/s")
    print(f"refused after: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms, most {max(took):.1f} ms")
    print(
        f"never refused: {wrong}; budget: p99 <= {BUDGET_MS[by]:g} ms: {'pass' if kept else 'FAIL'}"
    )
    return 0 if kept else 1


def _run(server: Server, stock: Stock, watches: Sequence[Watch], sign_outs: int) -> float:
    """Sign out at a steady rate while the APIs are called; how many calls a second there were."""
    over = threading.Event()
    counts: list[int] = []
    steady = [token for _, token in stock.pairs(GUARDS, (SCOPE,), (API,))]
    work = [threading.Thread(target=_look, args=(watch, over)) for watch in watches]
    for watch, token in zip(watches, steady, strict=True):
        work.append(threading.Thread(target=_call, args=(watch, token, over, counts)))
    began = time.perf_counter()
    for thread in work:
        thread.start()
    for start in range(0, sign_outs, BATCH):
        _sign_out(server, stock, watches, min(BATCH, sign_outs - start))
    while any(watch.pending for watch in watches):
        time.sleep(0.01)
    over.set()
    for thread in work:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


def _sign_out(server: Server, stock: Stock, watches: Sequence[Watch], count: int) -> None:
    pairs, connection = stock.pairs(count, (SCOPE,), (API,)), Connection(server.port)
    for _, token in pairs:
        if not all(watch.accepts(token) for watch in watches):
            raise RuntimeError("a fresh token was refused")
    due = time.perf_counter()
    for refresh, token in pairs:
        due += 1 / PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        reply = connection.ask(post("/revoke", {"token": refresh}, Authorization=stock.rp.basic))
        if reply.status != 200:
            raise RuntimeError(f"a revocation was answered {reply.status}")
        answered = time.perf_counter()
        for watch in watches:
            watch.pending[token] = answered
    connection.close()


def _look(watch: Watch, over: threading.Event) -> None:
    while not over.is_set():
        watch.look()
        time.sleep(LOOK_EVERY)


def _call(watch: Watch, token: str, over: threading.Event, counts: list[int]) -> None:
    """The API's other callers."""
    due, made = time.perf_counter(), 0
    while not over.is_set():
        due += GUARDS / CALLS_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        if not watch.accepts(token):
            raise RuntimeError("a token that nobody took back was refused")
        made += 1
    counts.append(made)


def _redis(stack: ExitStack) -> str:
    server = start_redis()
    stack.callback(server.stop)
    return server.url


def _watch(server: Server, stock: Stock, stack: ExitStack, redis_url: str | None) -> Watch:
    guard = Guard(
        f"http://localhost:{server.port}",
        API,
        client_id=stock.api.client_id,
        client_secret=stock.api.secret,
        redis_url=redis_url,
    )
    stack.callback(guard.close)
    guard.start()
    while not guard.health()["fresh"]:
        time.sleep(0.05)
    return Watch(guard, guard.need(SCOPE))


if __name__ == "__main__":
    raise SystemExit(main())
