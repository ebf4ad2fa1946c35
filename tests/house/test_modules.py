"""Every module of a plan that is complete has its test."""

import pytest

from tests.conformance.marks import COMPLETE
from tests.conformance.tables import MISSING, plans


@pytest.mark.parametrize("plan", COMPLETE)
def test_every_module_of_a_complete_plan_has_a_test(plan: str) -> None:
    modules = plans()[plan]

    assert [name for name, shown in modules.items() if shown.state == MISSING] == []
