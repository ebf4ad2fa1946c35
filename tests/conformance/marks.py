"""`@module("oidcc-server")`: which module of the certification a test is."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.conformance.fapi import FAPI
from tests.conformance.plans import OPENID, Plan, Variant
from tests.conformance.signals import SIGNALS

PLANS: dict[str, Plan] = OPENID | FAPI | SIGNALS
COMPLETE = tuple(PLANS)
"""Plans of which every module has its test; the house insists (tests/house/test_modules.py)."""


def module(
    name: str, plan: str | tuple[str, ...] = (), *, skip: str = "", warning: str = ""
) -> Callable[[Any], Any]:
    """The module a test is, in every plan that lists it or in those given.

    `skip` says why the suite would skip it (and the test shows that it would); `warning` why
    it ends with a warning.
    """
    plans = (plan,) if isinstance(plan, str) else plan
    for wanted in plans:
        if name not in PLANS[wanted].modules:
            raise ValueError(f"the plan {wanted} has no module {name}")
    found = plans or tuple(key for key, listed in PLANS.items() if name in listed.modules)
    if not found:
        raise ValueError(f"no plan has a module {name}")
    return pytest.mark.module(name, found, skip, warning)


def runs(marks: Iterable[pytest.Mark]) -> Iterator[tuple[str, Variant]]:
    """Every plan and variant a test with these marks is run in, each once."""
    seen = set()
    for mark in marks:
        name, plans, *_ = mark.args
        for plan in plans:
            for variant in PLANS[plan].runs(name):
                if variant not in seen:
                    seen.add(variant)
                    yield plan, variant
