"""What a run of many sign-outs has seen, in numbers: nothing grows with how many there were."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Generic, TypeVar

SHOWN = 20
CONFIDENCE = 3.0  # the rule of three: none of n seen, at most 3/n of all, 95 times of 100

Kept = TypeVar("Kept")


@dataclass
class Tally:
    """Counts of one process, or of several together."""

    acked: Counter[str] = field(default_factory=Counter)
    """Sign-outs and revocations that were answered with a yes, by kind."""
    unknown: int = 0
    """Those that nobody answered; they prove nothing."""
    lived: int = 0
    """Tokens that a guard let in before their end: what follows is no empty proof."""
    probed: Counter[str] = field(default_factory=Counter)
    """Tries with what was over, by whoever was asked."""
    unanswered: int = 0
    """Tries that nobody answered."""
    violated: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def probe(self, where: str, kind: str, *, refused: bool | None, said: str = "") -> None:
        """A try with something that is over; None when nobody answered."""
        if refused is None:
            self.unanswered += 1
            return
        self.probed[where] += 1
        if not refused:
            self.violated[where] += 1
            if len(self.examples) < SHOWN:
                self.examples.append(f"{kind} at {where}: {said}")

    def add(self, other: "Tally") -> None:
        """The counts of another one too."""
        self.acked += other.acked
        self.probed += other.probed
        self.violated += other.violated
        self.unknown += other.unknown
        self.lived += other.lived
        self.unanswered += other.unanswered
        self.examples = [*self.examples, *other.examples][:SHOWN]

    def text(self) -> str:
        """As a line."""
        return json.dumps({one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def read(cls, line: str) -> "Tally":
        """From a line."""
        said = json.loads(line)
        for name in ("acked", "probed", "violated"):
            said[name] = Counter(said[name])
        return cls(**said)

    @property
    def report(self) -> str:
        """The figures."""
        acked, violated = self.acked.total(), self.violated.total()
        return "\n".join(
            [
                f"acknowledged        {acked:>8}   {_each(self.acked)}",
                f"without an answer   {self.unknown:>8}   and {self.unanswered} tries",
                f"let in before       {self.lived:>8}",
                f"tried afterwards    {self.probed.total():>8}   {_each(self.probed)}",
                f"violations          {violated:>8}   {bound(violated, acked)}",
                *self.examples,
            ]
        )


class Reservoir(Generic[Kept]):
    """A fair share of everything that came by, and never more than so many (Vitter's R)."""

    def __init__(self, most: int, chance: random.Random) -> None:
        self._most = most
        self._chance = chance
        self._seen = 0
        self.kept: list[Kept] = []

    def add(self, one: Kept) -> None:
        """One more came by."""
        self._seen += 1
        if len(self.kept) < self._most:
            self.kept.append(one)
        elif (place := self._chance.randrange(self._seen)) < self._most:
            self.kept[place] = one

    def some(self, count: int) -> list[Kept]:
        """A few of them."""
        return self._chance.sample(self.kept, min(count, len(self.kept)))


def bound(violated: int, of: int) -> str:
    """How many there may be of all, if none was seen."""
    if violated or not of:
        return "no bound can be given"
    return f"none of {of}: fewer than {100 * CONFIDENCE / of:.4f} % at 95 % confidence"


def together(tallies: Iterable[Tally]) -> Tally:
    """One for all."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def _each(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
