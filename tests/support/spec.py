"""`@spec("RFC 7009 section 2.2", "REV-02")`: the clauses a test proves."""

from collections.abc import Callable
from typing import Any

import pytest


def spec(*clauses: str) -> Callable[[Any], Any]:
    """Write down which clauses and assertions a test proves."""
    return pytest.mark.spec(*clauses)
