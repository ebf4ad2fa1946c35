"""Two thousand sign-outs on each store, and the counting, which must see one that is lost."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.driver import TOKEN, Driver, End
from tests.faults.stock import Visit
from tests.faults.tally import Reservoir, Tally, bound, together
from tests.faults.volume import many
from tests.support.spec import spec

COUNT = 2_000


@dataclass
class Toy:
    """A provider in memory; one kind of sign-out in a hundred it forgets, or none."""

    loses: str = ""
    deaf: bool = False
    over: set[str] = field(default_factory=set)
    made: int = 0
    ends: int = 0

    def visits(self) -> list[Visit]:
        self.made += 1
        tokens = (f"{self.made} a", f"{self.made} b", f"{self.made} c")
        return [Visit("ann", "cookie", f"{self.made}", "hint", tokens)]

    def end(self, what: End) -> bool | None:
        self.ends += what.kind == self.loses
        if self.deaf:
            return None
        if what.kind != self.loses or self.ends != 50:
            self.over |= {what.access} if what.kind == TOKEN else {what.access, what.visit.refresh}
        return True

    def refused(self, what: End) -> bool | None:
        return (what.access if what.kind == TOKEN else what.visit.refresh) in self.over

    def guarded(self, access: str) -> bool | None:
        return access in self.over


def lived(toy: Toy, count: int = 600) -> Tally:
    return Driver(toy, random.Random(1), 0.0).run(count)


@spec("C.4")
def test_a_provider_that_loses_nothing_is_counted_without_a_violation() -> None:
    tally = lived(Toy())

    assert tally.acked.total() == tally.lived == tally.probed["guard"] == 600
    assert tally.violated.total() == 0
    assert "fewer than 0.5000 %" in tally.report


@spec("C.4")
@pytest.mark.parametrize("kind", ["token", "line", "browser", "everywhere"])
def test_one_lost_sign_out_of_many_is_found(kind: str) -> None:
    tally = lived(Toy(loses=kind))

    assert tally.violated["provider"] == tally.violated["guard"] == 1
    assert any(kind in example for example in tally.examples)
    assert "no bound" in tally.report


def test_what_nobody_answered_proves_nothing() -> None:
    tally = Tally()
    tally.probe("guard", "line", refused=None)

    assert (tally.unanswered, tally.probed.total(), tally.violated.total()) == (1, 0, 0)
    assert bound(0, 100_000) == "none of 100000: fewer than 0.0030 % at 95 % confidence"


def test_tallies_of_processes_are_added_up_and_survive_the_wire() -> None:
    one, other = lived(Toy(), 60), lived(Toy(loses="token"), 300)

    whole = together(Tally.read(each.text()) for each in (one, other))

    assert whole.acked.total() == 360
    assert whole.violated == other.violated


def test_a_reservoir_holds_no_more_than_it_may_and_is_fair() -> None:
    kept = Reservoir[int](100, random.Random(1))
    for number in range(10_000):
        kept.add(number)

    assert len(kept.kept) == 100
    assert 4_000 < sum(kept.kept) / 100 < 6_000


@pytest.mark.slow
@pytest.mark.timeout(900)
@spec("C.4", "P2", "P3", "P4", "REV-05", "INT-04", "F-01")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_of_two_thousand_sign_outs_none_is_lost(store: str, tmp_path: Path) -> None:
    seen = many(store, tmp_path, count=COUNT, seed=1)
    print(seen.report)

    assert seen.tally.violated.total() == 0, seen.report
    assert seen.tally.acked.total() >= COUNT
    assert seen.tally.lived > 0.9 * COUNT
    assert seen.tally.probed["guard"] + seen.tally.probed["provider"] > 1.9 * COUNT
    assert seen.faults
