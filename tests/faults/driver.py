"""Many sign-outs, as fast as the provider answers: `python -m tests.faults.driver PLAN N SEED`.

It reads how many, ends as many visits in every way there is, tries each afterwards at the
provider and at a guard, tries old ones again and again, and says what it counted.
"""

import random
import sys
import threading
import time
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import httpx

from bench.wire import Connection, Reply, get, post
from idp.app import create_app
from idp.guard import Guard, Refused
from idp.settings import load
from tests.faults.node import Balanced
from tests.faults.plan import MAX_SILENCE, Plan, audience
from tests.faults.stock import API, Stock, Visit
from tests.faults.tally import Reservoir, Tally, together

THREADS = 4
AT_ONCE = 25
AGAIN, REMEMBERED = 3, 1_000
TOKEN, LINE, BROWSER, EVERYWHERE = "token", "line", "browser", "everywhere"
SIGN_OUTS = (LINE, BROWSER, EVERYWHERE)
UNAVAILABLE = 500
TRIES = 4


@dataclass(frozen=True, slots=True)
class End:
    """What is ended, how, and an access token that is over then."""

    kind: str
    visit: Visit
    access: str


class Doors(Protocol):
    """Where something is ended, and where it is tried afterwards. None: nobody answered."""

    def visits(self) -> list[Visit]:
        """Fresh ones."""
        ...

    def end(self, what: End) -> bool | None:
        """True when it was answered with a yes."""
        ...

    def refused(self, what: End) -> bool | None:
        """Whether the provider gives nothing for it any more."""
        ...

    def guarded(self, access: str) -> bool | None:
        """Whether a guard keeps an access token out."""
        ...


@dataclass(slots=True)
class Driver:
    """One thread."""

    doors: Doors
    chance: random.Random
    max_silence: float

    def run(self, count: int) -> Tally:
        """End so many; then everything that is due is tried."""
        tally, past = Tally(), Reservoir[End](REMEMBERED, self.chance)
        due: deque[tuple[float, list[End]]] = deque()
        while tally.acked.total() < count:
            visits = self.doors.visits()
            if not visits:
                time.sleep(0.1)
                continue
            ended = [what for visit in visits for what in self._end(visit, tally)]
            due.append((time.monotonic() + self.max_silence, ended))
            self._try(ended, "provider", tally)
            for what in ended:
                if what.kind != TOKEN:
                    past.add(what)
            self._try(past.some(AGAIN), "provider, later", tally)
            while due and due[0][0] < time.monotonic():
                self._guard(due.popleft()[1], tally)
        while due:
            when, ended = due.popleft()
            time.sleep(max(0.0, when - time.monotonic()))
            self._guard(ended, tally)
        self._try(past.kept, "provider, in the end", tally)
        return tally

    def _end(self, visit: Visit, tally: Tally) -> list[End]:
        """Take its tokens back one by one, then sign out; what was answered with a yes."""
        *tokens, last = visit.access
        wanted = [End(TOKEN, visit, token) for token in tokens]
        wanted.append(End(self.chance.choice(SIGN_OUTS), visit, last))
        ended = []
        for what in wanted:
            tally.lived += self.doors.guarded(what.access) is False
            if self.doors.end(what):
                tally.acked[what.kind] += 1
                ended.append(what)
            else:
                tally.unknown += 1
        return ended

    def _try(self, ended: Sequence[End], where: str, tally: Tally) -> None:
        for what in ended:
            tally.probe(where, what.kind, refused=self.doors.refused(what))

    def _guard(self, ended: Sequence[End], tally: Tally) -> None:
        for what in ended:
            tally.probe("guard", what.kind, refused=self.doors.guarded(what.access))


class Real:
    """The provider's servers, and a guard of this process."""

    def __init__(self, plan: Plan, stock: Stock, guard: Guard, chance: random.Random) -> None:
        self._plan, self._stock, self._guard, self._chance = plan, stock, guard, chance
        self._open: dict[int, Connection] = {}
        self._api = "Basic " + b64encode(":".join(plan.api).encode()).decode()
        self._client = {"client_id": stock.app.client_id}

    def visits(self) -> list[Visit]:
        return self._stock.visits()

    def end(self, what: End) -> bool | None:
        if what.kind == EVERYWHERE:
            return self._stock.everywhere(what.visit)
        if what.kind == BROWSER:
            query = urlencode({"id_token_hint": what.visit.id_token})
            asked = get(f"/end_session?{query}", Cookie=f"idp_session={what.visit.cookie}")
        else:
            token = what.access if what.kind == TOKEN else what.visit.refresh
            asked = post("/revoke", {"token": token} | self._client)
        reply = self._ask(asked)
        if reply is None:
            return None
        return reply.status == httpx.codes.OK and b"/end_session/confirm" not in reply.body

    def refused(self, what: End) -> bool | None:
        if what.kind == TOKEN:
            form = {"token": what.access}
            reply = self._insist(post("/introspect", form, Authorization=self._api))
            return None if reply is None else b'"active":false' in reply.body.replace(b" ", b"")
        form = {"grant_type": "refresh_token", "refresh_token": what.visit.refresh}
        reply = self._insist(post("/token", form | self._client))
        return None if reply is None else b"invalid_grant" in reply.body

    def guarded(self, access: str) -> bool | None:
        named = [f"Bearer {access}"], (f"{API}:use",)
        try:
            self._guard.check(*named, method="GET", url=f"/{API}")
        except Refused as refused:
            return True if refused.status < UNAVAILABLE else None
        return False

    def _insist(self, request: bytes) -> Reply | None:
        """Ask one and then another; what is asked so may be asked twice."""
        for _ in range(TRIES):
            reply = self._ask(request)
            if reply is not None:
                return reply
            time.sleep(0.1)
        return None

    def _ask(self, request: bytes) -> Reply | None:
        """None when there is no answer, or none that says yes or no."""
        port = self._connected()
        if port is None:
            return None
        try:
            reply = self._open[port].ask(request)
        except (OSError, ValueError):
            self._open.pop(port).close()
            return None
        if b"connection: close" in reply.head.lower():
            self._open.pop(port).close()
        return reply if reply.status < UNAVAILABLE else None

    def _connected(self) -> int | None:
        """One of the servers, or the other when that is not there."""
        for port in self._chance.sample(self._plan.providers, len(self._plan.providers)):
            try:
                if port not in self._open:
                    self._open[port] = Connection(port)
            except OSError:
                continue
            return port
        return None


def main() -> None:
    """Do what the parent says."""
    plan, number, seed = Plan.load(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
    flask = create_app(load(environ=plan.environ))
    guard = _guard(plan, number)
    stocks = [Stock(plan, flask, AT_ONCE) for _ in range(THREADS)]
    print("ready", flush=True)
    count = int(sys.stdin.readline())
    found: list[Tally] = []

    def live(stock: Stock, name: int) -> None:
        chance = random.Random(f"{seed} {number} {name}")
        driver = Driver(Real(plan, stock, guard, chance), chance, MAX_SILENCE)
        found.append(driver.run(-(-count // THREADS)))

    threads = [threading.Thread(target=live, args=(s, n)) for n, s in enumerate(stocks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != len(stocks):
        raise SystemExit("a thread did not come to its end")
    print(together(found).text(), flush=True)
    stocks[0].close()


def _guard(plan: Plan, number: int) -> Guard:
    """One that follows the feed; returned when it does."""
    first = number % len(plan.providers)
    guard = Guard(
        plan.issuer,
        audience(API),
        client_id=plan.api[0],
        client_secret=plan.api[1],
        redis_url=plan.redis_url,
        max_silence=MAX_SILENCE,
        http=httpx.Client(transport=Balanced(plan.providers, first), timeout=2.0),
    )
    guard.start()
    ends = time.monotonic() + 60
    while not guard.health()["fresh"]:
        if time.monotonic() > ends:
            raise SystemExit(str(guard.health()))
        time.sleep(0.1)
    return guard


if __name__ == "__main__":
    main()
