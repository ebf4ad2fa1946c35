"""What happened, as those who took part saw it: one line when an operation began, one when its
answer was read. All processes of one machine share one monotonic clock.
"""

import hashlib
import itertools
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK, FAIL, INFO = "ok", "fail", "info"
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation from begin to end. `info` is one nobody knows the outcome of: it may have
    happened, and may still happen.
    """

    proc: str
    op: str
    key: str
    began: int
    ended: int
    outcome: str = OK
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.outcome == OK

    def __getitem__(self, name: str) -> Any:
        return self.detail[name]

    def get(self, name: str) -> Any:
        """A detail that may not be there."""
        return self.detail.get(name)


def mark(value: str) -> str:
    """What stands for a token in the history; nobody can use it."""
    return hashlib.sha256(value.encode()).hexdigest()[:32]


class Doing:
    """An operation under way; whoever leaves it without an outcome does not know it."""

    def __init__(self) -> None:
        self.outcome = INFO
        self.detail: dict[str, Any] = {}
        self.asked: str | None = None

    def ok(self, **detail: Any) -> None:
        """It happened; the whole answer was read."""
        self.outcome, self.detail = OK, detail

    def fail(self, **detail: Any) -> None:
        """It did not happen; somebody said so."""
        self.outcome, self.detail = FAIL, detail

    def of(self, whom: object) -> None:
        """Who is asked."""
        self.asked = str(whom)

    def info(self, **detail: Any) -> None:
        """Nobody knows."""
        self.outcome, self.detail = INFO, detail


class Recorder:
    """Appends to one file; any number of threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._numbers = itertools.count()
        self._pid = os.getpid()
        self._lock = threading.Lock()

    @contextmanager
    def doing(self, proc: str, op: str, key: str = "", **detail: Any) -> Iterator[Doing]:
        """Write down the beginning, and, however the block ends, what came of it."""
        number = f"{self._pid}-{next(self._numbers)}"
        said = {"n": number, "proc": proc, "op": op, "key": key}
        self._write(said | {"phase": "invoke", "detail": detail})
        doing = Doing()
        try:
            yield doing
        finally:
            asked = {"asked": doing.asked} if doing.asked is not None else {}
            self._write(said | {"phase": doing.outcome, "detail": doing.detail | asked})

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def _write(self, said: dict[str, Any]) -> None:
        with self._lock:
            line = json.dumps({**said, "t": time.monotonic_ns()}, separators=(",", ":"))
            self._file.write(line.encode() + b"\n")


def read(paths: Iterable[Path]) -> list[Op]:
    """Every operation of these files, by when it began. One without an end is `info`."""
    begun: dict[str, dict[str, Any]] = {}
    found: list[Op] = []
    latest = 0
    for path in paths:
        for line in path.read_text().splitlines():
            said = json.loads(line)
            latest = max(latest, said["t"])
            if said["phase"] == "invoke":
                begun[said["n"]] = said
            else:
                found.append(_op(begun.pop(said["n"]), said["t"], said["phase"], said["detail"]))
    found += [_op(said, latest, INFO, {}) for said in begun.values()]
    return sorted(found, key=lambda op: op.began)


def _op(begun: dict[str, Any], ended: int, outcome: str, detail: dict[str, Any]) -> Op:
    return Op(
        proc=begun["proc"],
        op=begun["op"],
        key=begun["key"],
        began=begun["t"],
        ended=ended,
        outcome=outcome,
        detail=begun["detail"] | detail,
    )
