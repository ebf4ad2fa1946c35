"""Toy providers, each wrong in one way that real ones have been wrong in, and one that is not.

They exist to prove that the checks of a history find what they are for.
"""

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

NODES = ("n1", "n2")


class Refused(Exception):
    """The answer is no."""


class Away(Exception):
    """There is no answer."""


@dataclass
class Toy:
    """Two nodes of one provider. What is on the disk survives `kill`; what is in memory does not.

    A token is `<family> <number>`, so that everybody sees whose it is.
    """

    tell: Callable[[str, str], None]
    together: threading.Barrier | None = None
    spent: dict[str, str] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    outbox: list[tuple[str, str]] = field(default_factory=list)
    generation: int = 0
    life: float = 3600.0
    spare: float = 0.0
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    lock: threading.RLock = field(default_factory=threading.RLock)
    good_until: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What else is in memory."""

    def redeem(self, family: str) -> tuple[str, str]:
        """The first access token and the first refresh token."""
        return self.mint(family), f"{family} r{next(self.numbers)}"

    def mint(self, family: str) -> str:
        """An access token that says which generation it is of."""
        token = f"{family} a{next(self.numbers)} {self.generation}"
        self.good_until[token] = time.monotonic() + self.life + self.spare
        return token

    def refresh(self, token: str) -> tuple[str, str]:
        """Look, judge, spend, mint; nobody else in between."""
        with self.lock:
            return self.spend(token)

    def spend(self, token: str) -> tuple[str, str]:
        """Of two who try at once one is the winner; who comes late ends the family."""
        family = token.split(maxsplit=1)[0]
        if family in self.over:
            raise Refused
        if token in self.spent:
            self.over.add(family)
            raise Refused
        self.meet()
        successor = f"{family} r{next(self.numbers)}"
        self.spent[token] = successor
        return self.mint(family), successor

    def call(self, node: str, token: str) -> bool:
        """Whether an API that asks this node lets the token in."""
        return time.monotonic() < self.good_until[token] and not self.ended(node, token)

    def ended(self, node: str, token: str) -> bool:
        """Whether the token is over, as far as this node knows."""
        family, _, generation = token.split()
        return family in self.over or int(generation) < self.generation

    def end(self, node: str, families: list[str]) -> None:
        """Sign out of these: write, promise the notices, and only then answer."""
        self.over.update(families)
        self.outbox += [(family, f"{family} {next(self.numbers)}") for family in families]

    def end_everything(self) -> None:
        """Sign out everywhere: one number ends all that was minted before."""
        self.generation += 1

    def work(self) -> None:
        """Tell the apps what was promised."""
        while self.outbox:
            self.tell(*self.outbox.pop())

    def kill(self) -> None:
        """Forget what was in memory."""

    def confirmed(self) -> dict[str, str]:
        """What the receipt of the sign-out says of each node."""
        return dict.fromkeys(NODES, "confirmed")

    def meet(self) -> None:
        """Where two requests are between look and write at the same time, if they can be."""


class NonAtomicRefresh(Toy):
    """Looks first and writes later; two can look before one has written."""

    def refresh(self, token: str) -> tuple[str, str]:
        return self.spend(token)

    def meet(self) -> None:
        if self.together is not None:
            self.together.wait(5)


class RevokedInMemory(Toy):
    """Sign-outs are in a store that is empty after a restart."""

    def kill(self) -> None:
        self.over.clear()


class DenylistPerProcess(Toy):
    """The node that was told knows, and nobody else."""

    def __post_init__(self) -> None:
        self.known: dict[str, set[str]] = {node: set() for node in NODES}

    def end(self, node: str, families: list[str]) -> None:
        super().end(node, families)
        self.known[node].update(families)

    def ended(self, node: str, token: str) -> bool:
        return token.split(maxsplit=1)[0] in self.known[node]


class CacheWithoutEnd(Toy):
    """A yes is remembered, and never asked for again."""

    def __post_init__(self) -> None:
        self.said_yes: set[str] = set()

    def call(self, node: str, token: str) -> bool:
        if token in self.said_yes or super().call(node, token):
            self.said_yes.add(token)
            return True
        return False


class AnsweredBeforeCommit(Toy):
    """Says that it is done, and does it later, if it lives so long."""

    def __post_init__(self) -> None:
        self.later: list[str] = []

    def end(self, node: str, families: list[str]) -> None:
        self.later += families

    def work(self) -> None:
        self.over.update(self.later)
        super().work()

    def kill(self) -> None:
        self.later.clear()


class OutboxInMemory(Toy):
    """The sign-out is on the disk, and who must be told of it is not."""

    def kill(self) -> None:
        self.outbox.clear()


class GenerationInSeconds(Toy):
    """Everything from before this second is over; what is of this second is not. The whole
    story happens within one.
    """

    def end_everything(self) -> None:
        self.generation = 0


class ConfirmedBeforeApplied(Toy):
    """The second node says that it has heard, and looks into what it has heard later."""

    def __post_init__(self) -> None:
        self.heard: set[str] = set()

    def ended(self, node: str, token: str) -> bool:
        return super().ended(node, token) and (
            node != "n2" or token.split(maxsplit=1)[0] in self.heard
        )

    def work(self) -> None:
        self.heard.update(self.over)
        super().work()


class OutlivesItsEnd(Toy):
    """A token is good for a second longer than anybody was told."""

    def __post_init__(self) -> None:
        self.spare = 1.0


class SlowToComeBack(Toy):
    """For a while after whatever was wrong is mended it answers nobody."""

    def __post_init__(self) -> None:
        self.back_at = 0.0

    def kill(self) -> None:
        self.back_at = time.monotonic() + 0.5

    def call(self, node: str, token: str) -> bool:
        if time.monotonic() < self.back_at:
            raise Away
        return super().call(node, token)


SEEDED = (
    NonAtomicRefresh,
    RevokedInMemory,
    DenylistPerProcess,
    CacheWithoutEnd,
    AnsweredBeforeCommit,
    OutboxInMemory,
    GenerationInSeconds,
)
