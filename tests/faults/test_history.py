"""A minute in which servers die, databases restart and caches forget, and what everybody saw of
it: two providers with two processes each, three API servers, eight people with four apps.
"""

from pathlib import Path

import pytest

from idp.domain.receipts import CONFIRMED
from tests.faults.checks import LIVENESS
from tests.faults.liveness import shares
from tests.faults.model import NEVER, build
from tests.faults.run import run
from tests.support.spec import spec

SECONDS, SEED = 60, 1
STRICT_SECONDS = 25


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
    assert min(share.asked for share in shares(model, seen.promises.recovery)) > 200
    late = [op for op in model.by_op["call"] if op.ok and op["policy"] == "short"]
    late = [op for op in late if op.began > model.minted[op.key] + seen.promises.lives["short"]]
    assert late, "tokens are tried when they have just run out"


@pytest.mark.slow
@pytest.mark.timeout(600)
@spec("C.4", "P4", "P8", "F-01", "F-08", "CON-02")
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_when_sign_out_is_strict_no_guard_lets_anybody_in_once_it_is_answered(
    store: str, tmp_path: Path
) -> None:
    seen = run(store, tmp_path, seconds=STRICT_SECONDS, seed=SEED, strict=True)
    print(seen.report)

    assert [each for each in seen.broken if each.rule != LIVENESS] == []  # a minute judges that

    model = build(seen.history)
    said = [state for _, guards in model.settled.values() for state in guards.values()]
    assert said.count(CONFIRMED) > 50
    over = [op for op in model.by_op["call"] if op.ok and op["policy"] in seen.promises.strict]
    over = [op for op in over if op.began > model.settled.get(op["family"], (NEVER,))[0]]
    assert len(over) > 50
