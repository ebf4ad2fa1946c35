"""A minute in which servers die, databases restart and caches forget, and what everybody saw of
it: two providers with two processes each, three API servers, eight people with four apps.
"""

from pathlib import Path

import pytest

from tests.faults.model import build
from tests.faults.run import run
from tests.support.spec import spec

SECONDS, SEED = 60, 1


@pytest.mark.slow
@pytest.mark.timeout(600)
@spec("C.4", "P1", "P2", "P3", "P4", "P5", "F-01", "F-02", "F-04", "F-08", "REV-05", "CON-02")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_no_promise_is_broken_while_things_go_wrong(store: str, tmp_path: Path) -> None:
    seen = run(store, tmp_path, seconds=SECONDS, seed=SEED)
    print(seen.report)

    assert seen.broken == []

    model = build(seen.history)
    kinds = {"kill_worker", "kill_server"} | (
        {"restart_postgres", "pause_redis", "flush_redis", "restart_redis", "kill_courier"}
        if store == "postgresql"
        else set()
    )
    assert {fault.key for fault in model.faults} == kinds
    assert len([op for op in model.by_op["end"] if op.ok]) > 30
