"""How often one network may try to sign in is for the operator to say."""

from pathlib import Path

import pytest

from tests.support.spec import spec
from tests.support.world import make_world


@spec("PWD-07")
@pytest.mark.parametrize(("allowed", "status"), [("10", 429), ("11", 303)])
def test_a_network_may_try_as_often_as_the_operator_says(
    tmp_path: Path, allowed: str, status: int
) -> None:
    world = make_world(tmp_path, IDP_THROTTLE__SIGN_INS=allowed)
    world.person()
    for _ in range(10):
        assert world.browser().sign_in().status_code == 303

    last = world.browser().sign_in()

    assert last.status_code == status
