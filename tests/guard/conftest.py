"""An issuer of the tests' own, time that stands still, and a guard that follows the feed."""

from collections.abc import Iterator

import pytest

from idp.guard import Guard
from tests.support.issuer import Issuer, Time, wait_until


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(Time())


@pytest.fixture
def guard(issuer: Issuer) -> Iterator[Guard]:
    """It has read the whole feed and knows that nothing is missing."""
    guard = issuer.guard()
    guard.start()
    wait_until(lambda: guard.health()["fresh"])
    yield guard
    guard.close()
