"""It works: always while nothing is wrong, and beside a fault for whoever does not need what was
hit. Decided by counts: a slow answer is an answer, and of many one may be missing.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults.history import FAIL, INFO, Op
from tests.faults.model import Model

COURIER, STORE, REDIS = "courier", "store", "redis"
OURS = ("fault", "notice", "receipt")
BY_THE_FEED = frozenset({"denylist", "state", "sso", "short"})
CALM, BESIDE = 0.999, 0.99
SPARE = 2


@dataclass(frozen=True, slots=True)
class Share:
    """So many were asked, and these got neither a yes nor a no."""

    what: str
    asked: int
    failed: tuple[Op, ...]
    least: float

    @property
    def enough(self) -> bool:
        """Two are borne in any case: a run is short."""
        return len(self.failed) <= max(SPARE, (1 - self.least) * self.asked)

    def __str__(self) -> str:
        share = 100 - 100 * len(self.failed) / max(1, self.asked)
        return (
            f"{self.what:30} {self.asked:>7} asked, {len(self.failed):>4} without an answer, "
            f"{share:.2f} % of {100 * self.least:g} % answered"
        )


def shares(model: Model, recovery: int) -> list[Share]:
    """How many were answered: of the provider and of the APIs in calm times, and of all that
    did not need what a single fault had hit.
    """
    disturbed = Windows((f.began, f.ended + recovery) for f in model.faults)
    asked = [op for op in model.ops if op.op not in OURS]
    calm = [op for op in asked if not disturbed.touch(op.began, op.ended)]
    provider = [op for op in calm if op.op != "call"]
    calls = [op for op in calm if op.op == "call"]
    beside = [op for op in asked if _spared(op, model.faults, recovery)]
    return [
        _share("the provider, in calm times", provider, CALM),
        _share("the APIs, in calm times", calls, CALM),
        _share("beside a fault that is not theirs", beside, BESIDE),
    ]


def recoveries(model: Model) -> Iterator[tuple[str, int, int]]:
    """Of each fault what it was, how long it lasted, and how long after its end, until the next
    one, somebody was without an answer.
    """
    away = [op for op in model.ops if unanswered(op) and op.op not in OURS]
    begins = [fault.began for fault in model.faults]
    for fault, until in zip(model.faults, [*begins[1:], None], strict=True):
        late = [
            op.ended - fault.ended
            for op in away
            if op.ended > fault.ended and (until is None or op.ended < until)
        ]
        yield fault.key, fault.ended - fault.began, max(late, default=0)


def unanswered(op: Op) -> bool:
    """Whether the client was left without a yes or a no."""
    return op.outcome == INFO or (op.outcome == FAIL and (op.get("status") or 0) >= 500)


class Windows:
    """Stretches of time; those that overlap are one."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []
        for began, ended in sorted(stretches):
            if self._ends and began <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], ended)
            else:
                self._begins.append(began)
                self._ends.append(ended)

    def touch(self, began: int, ended: int) -> bool:
        """Whether one of them has a moment in common with this stretch."""
        place = bisect_left(self._begins, ended)
        return place > 0 and self._ends[place - 1] > began


def _share(what: str, ops: list[Op], least: float) -> Share:
    return Share(what, len(ops), tuple(op for op in ops if unanswered(op)), least)


def _spared(op: Op, faults: list[Op], recovery: int) -> bool:
    """Whether exactly one fault was near, and it hit nothing that this needs."""
    near = [f for f in faults if op.began < f.ended + recovery and f.began < op.ended]
    return len(near) == 1 and not _needs(op, near[0])


def _needs(op: Op, fault: Op) -> bool:
    """Without the store the feed is silent, and nobody says how long a guard may still trust."""
    hit = fault.get("hit")
    if hit in (None, STORE, COURIER):
        return hit != COURIER
    if op.op != "call":
        return op.get("asked") == hit
    return (hit == REDIS and op.get("bound") is True) or op["policy"] not in BY_THE_FEED
