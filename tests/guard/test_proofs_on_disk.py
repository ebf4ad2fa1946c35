"""Proofs that several processes of an API remember together in a file, and the figures."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from idp.guard import Guard
from idp.guard.file import InFile
from idp.guard.prometheus import GuardCollector
from idp.guard.wire import Unanswered
from tests.support.issuer import Issuer, call
from tests.support.spec import spec

NOW = 1_800_000_000


def brought(path: Path, name: str) -> int:
    """How many of eight threads of one process are told that they are the first."""
    memory = InFile(path)
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(lambda _: tried(memory, name), range(8)))


def tried(memory: InFile, name: str) -> bool:
    """Whether it was the first; a disk that is busy says that it cannot tell."""
    while True:
        try:
            return memory.first(name, NOW + 60, NOW)
        except Unanswered:
            continue


@spec("DPO-05", "RFC 9449 section 11.1")
def test_of_all_processes_one_is_the_first(tmp_path: Path) -> None:
    path = tmp_path / "proofs"

    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        firsts = list(pool.map(brought, [path] * 4, ["once"] * 4))

    assert sum(firsts) == 1


@spec("DPO-05")
def test_a_restart_forgets_nothing_and_time_does(tmp_path: Path) -> None:
    assert InFile(tmp_path / "proofs").first("a", NOW + 60, NOW)

    again = InFile(tmp_path / "proofs")

    assert not again.first("a", NOW + 60, NOW)
    assert InFile(tmp_path / "proofs").first("a", NOW + 120, NOW + 61)


@spec("DPO-06")
def test_a_disk_that_cannot_say_lets_nobody_in(tmp_path: Path) -> None:
    memory = InFile(tmp_path / "no such folder" / "proofs")

    with pytest.raises(Unanswered):
        memory.first("a", NOW + 60, NOW)


def test_prometheus_is_told_how_old_the_knowledge_is(issuer: Issuer, guard: Guard) -> None:
    registry = CollectorRegistry()
    registry.register(GuardCollector(guard))
    call(guard, issuer.token())

    figures = generate_latest(registry).decode()

    labelled = f'{{audience="{guard.audience}"}}'
    assert f"idp_guard_fresh{labelled} 1.0" in figures
    assert f"idp_guard_tokens{labelled} 1.0" in figures
    assert f"idp_guard_staleness_seconds{labelled} " in figures
