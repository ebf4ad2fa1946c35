"""Nothing that strangers send makes anything but an answer or the one declared refusal."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS
from tests.support.spec import spec

ROOT = Path(__file__).parents[2]
PIECES = st.binary(max_size=24) | st.sampled_from(
    [b"\x00", b"\r\n", b"%00", b'"', b"\\u0000", b"\xff", b"[" * 200, b"1e999", b"null", b"."]
)


@spec("CLA-04", "DPO-01", "JOS-11", "EDG-03")
@pytest.mark.parametrize("name", TARGETS)
def test_bytes_of_any_kind_are_read_or_refused(name: str) -> None:
    @settings(max_examples=60, deadline=500)
    @given(st.binary(max_size=200))
    @example(b"")
    def tried(data: bytes) -> None:
        TARGETS[name].run(data)

    tried()


@spec("CLA-04", "DPO-01", "JOS-11", "EDG-03")
@pytest.mark.parametrize("name", TARGETS)
def test_honest_input_with_a_wound_is_read_or_refused(name: str) -> None:
    @settings(max_examples=100, deadline=500)
    @given(st.sampled_from(TARGETS[name].seeds), st.floats(0, 1), st.integers(0, 8), PIECES)
    def tried(seed: bytes, where: float, gone: int, piece: bytes) -> None:
        at = round(where * len(seed))
        TARGETS[name].run(seed[:at] + piece + seed[at + gone :])

    tried()


@spec("CLA-04", "DPO-01", "JOS-11", "EDG-03")
@pytest.mark.parametrize("name", TARGETS)
def test_long_input_takes_no_long_time(name: str) -> None:
    chance = random.Random(1)
    long = [
        chance.choice(TARGETS[name].seeds) * 400,
        b"a." * 30_000,
        b"[" * 60_000,
        b'{"a":' * 9000,
    ]

    began = time.perf_counter()
    for data in long:
        TARGETS[name].run(data)

    assert time.perf_counter() - began < 2


@pytest.mark.slow
@spec("CLA-04", "DPO-01", "JOS-11", "EDG-03")
@pytest.mark.parametrize("name", TARGETS)
def test_a_fuzzer_that_follows_the_code_finds_nothing(name: str, tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, "--seconds", "8", "--corpus", str(tmp_path)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert found.returncode == 0, found.stdout[-2000:] + found.stderr[-4000:]
