"""What is known of each plan: its modules, how they end, and the tests that show it."""

import importlib
import inspect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance.marks import PLANS

HERE = Path(__file__).parent
PASSES, WARNS, SKIPPED, MISSING = "passes", "warning", "skipped", "no test yet"
ENDS = (PASSES, WARNS, SKIPPED, MISSING)


@dataclass
class Shown:
    """One module of a plan, and what our tests say of it."""

    tests: list[tuple[str, str]] = field(default_factory=list)
    skip: str = ""
    warning: str = ""

    @property
    def state(self) -> str:
        if not self.tests:
            return MISSING
        if self.skip:
            return SKIPPED
        return WARNS if self.warning else PASSES


def plans() -> dict[str, dict[str, Shown]]:
    """Every plan by its name, and its modules in the plan's own order."""
    found = {key: {name: Shown() for name in plan.modules} for key, plan in PLANS.items()}
    for path, test, mark in _marked():
        name, of, skip, warning = mark.args
        for key in of:
            if PLANS[key].runs(name):
                shown = found[key][name]
                shown.tests.append((path, test))
                shown.skip, shown.warning = shown.skip or skip, shown.warning or warning
    return found


def counts() -> dict[str, Counter[str]]:
    """How many modules of each plan end how."""
    return {key: Counter(shown.state for shown in of.values()) for key, of in plans().items()}


def summary() -> str:
    """The counts as lines of text."""
    lines = [f"{'plan':24}" + "".join(f"{end:>13}" for end in ENDS)]
    for key, of in counts().items():
        lines.append(f"{key:24}" + "".join(f"{of[end]:13}" for end in ENDS))
    return "\n".join(lines)


def _marked() -> Iterator[tuple[str, str, Any]]:
    """Every test that is marked as a module: its file, its name, the mark."""
    for path in sorted(HERE.glob("test_*.py")):
        loaded = importlib.import_module(f"tests.conformance.{path.stem}")
        for name, test in inspect.getmembers(loaded, inspect.isfunction):
            if name.startswith("test_") and test.__module__ == loaded.__name__:
                for mark in getattr(test, "pytestmark", ()):
                    if mark.name == "module":
                        yield f"tests/conformance/{path.name}", name, mark
