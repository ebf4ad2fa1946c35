"""How often one may try: pauses that grow, counts that end, and nobody locked out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine

from idp.domain.throttle import Limit, Throttle, Throttled, network, pause
from idp.store import Base
from idp.store.volatile import SqlVolatile
from tests.support.spec import spec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GROWING = Limit(3, timedelta(days=1), pause=MINUTE)
FIXED = Limit(2, 10 * MINUTE)


@pytest.fixture
def engine(tmp_path: object) -> Engine:
    made = create_engine(f"sqlite:///{tmp_path}/facts.sqlite3")
    Base.metadata.create_all(made)
    return made


@pytest.fixture
def throttle(engine: Engine) -> Throttle:
    return Throttle(SqlVolatile(engine), {"account": GROWING, "address": FIXED})


def wait(throttle: Throttle, now: datetime, who: str = "alice", kind: str = "account") -> float:
    """Try once; the minutes one is told to wait, 0 when the try is let through."""
    try:
        throttle.count(kind, who, now)
    except Throttled as refused:
        return refused.retry_after / MINUTE
    return 0


@spec("PWD-08", "V6.1.1")
def test_pauses_double_up_to_the_longest() -> None:
    pauses = [pause(number, GROWING) / MINUTE for number in (1, 2, 3, 4, 5, 6, 10**9)]

    assert pauses == [1, 2, 4, 8, 16, 16, 16]


@spec("PWD-08", "V6.1.1")
def test_after_each_pause_one_try_is_let_through_and_the_next_pause_is_longer(
    throttle: Throttle,
) -> None:
    free = [wait(throttle, NOW) for _ in range(3)]
    during = wait(throttle, NOW + MINUTE / 2)
    after = wait(throttle, NOW + MINUTE)
    again = wait(throttle, NOW + MINUTE)

    assert free == [0, 0, 0]
    assert during == 0.5
    assert after == 0
    assert again == 2


@spec("PWD-08")
def test_tries_during_a_pause_do_not_make_it_longer(throttle: Throttle) -> None:
    for _ in range(3):
        throttle.count("account", "alice", NOW)

    refused = [wait(throttle, NOW) for _ in range(50)]
    after = wait(throttle, NOW + MINUTE)

    assert refused == [1] * 50
    assert after == 0


@spec("PWD-08")
def test_a_right_answer_forgives_everything_before_it(throttle: Throttle) -> None:
    for _ in range(3):
        throttle.count("account", "alice", NOW)
    throttle.clear("account", "alice", NOW)

    assert [wait(throttle, NOW) for _ in range(4)] == [0, 0, 0, 1]


@spec("PWD-08")
def test_a_day_later_nothing_is_held_against_anybody(throttle: Throttle) -> None:
    for _ in range(3):
        throttle.count("account", "alice", NOW)

    later = NOW + timedelta(days=1)
    assert [wait(throttle, later) for _ in range(4)] == [0, 0, 0, 1]


def test_one_persons_tries_are_not_anothers(throttle: Throttle) -> None:
    for _ in range(3):
        throttle.count("account", "alice", NOW)

    assert wait(throttle, NOW, "bob") == 0


def test_a_limit_without_pauses_ends_with_its_time(throttle: Throttle) -> None:
    tries = [wait(throttle, NOW, "here", "address") for _ in range(3)]
    later = wait(throttle, NOW + 10 * MINUTE, "here", "address")

    assert tries == [0, 0, 10]
    assert later == 0


@spec("PWD-07", "CVE-2024-4629")
def test_of_guesses_made_at_once_no_more_get_through_than_of_guesses_made_in_a_row(
    throttle: Throttle,
) -> None:
    with ThreadPoolExecutor(16) as pool:
        first = list(pool.map(lambda _: wait(throttle, NOW), range(32)))
        second = list(pool.map(lambda _: wait(throttle, NOW + MINUTE), range(32)))

    assert first.count(0) == 3
    assert second.count(0) == 1


@spec("PWD-10")
def test_counts_survive_a_restart(throttle: Throttle, engine: Engine) -> None:
    for _ in range(3):
        throttle.count("account", "alice", NOW)
    engine.dispose()

    restarted = Throttle(SqlVolatile(engine), {"account": GROWING})

    assert wait(restarted, NOW) == 1


@spec("design P7")
def test_counts_that_are_over_are_forgotten_a_batch_at_a_time(throttle: Throttle) -> None:
    for number in range(5):
        throttle.count("address", f"somewhere {number}", NOW)

    early = throttle.sweep(NOW, 3)
    late = [throttle.sweep(NOW + 10 * MINUTE, 3) for _ in range(3)]

    assert early == 0
    assert late == [3, 2, 0]


@spec("PWD-07")
@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("somewhere", "unknown"),
    ],
)
def test_what_counts_as_one_neighbour(address: str, counted: str) -> None:
    assert network(address) == counted
