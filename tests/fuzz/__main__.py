"""`python -m tests.fuzz [TARGET]`: follow the code (atheris) as far as some seconds allow.

Where atheris has no wheel for this Python the same bytes are changed by chance alone, and the
first line says so.
"""

import argparse
import importlib.util
import random
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Fuzz one target, or each in turn; the exit code is 0 if nothing was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", nargs="?", default="")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, default=Path("var/fuzz"))
    asked = parser.parse_args()
    if not asked.target:
        sys.exit(max(each(asked.seconds, asked.corpus).values()))
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not here: bytes are changed by chance", file=sys.stderr)
        by_chance(asked.target, asked.seconds)
    else:
        by_coverage(asked.target, asked.seconds, asked.corpus / asked.target)


def each(seconds: int, corpus: Path) -> dict[str, int]:
    """Every target in a process of its own: a fuzzer ends the one it runs in."""
    from tests.fuzz.targets import TARGETS

    ends = {}
    for name in TARGETS:
        said = [sys.executable, "-m", "tests.fuzz", name, f"--seconds={seconds}"]
        ends[name] = subprocess.run([*said, f"--corpus={corpus}"], check=False).returncode
        print(f"{name}: {'nothing found' if ends[name] == 0 else 'FOUND SOMETHING'}")
    return ends


def by_coverage(name: str, seconds: int, corpus: Path) -> None:
    """libFuzzer, with our own code instrumented."""
    import atheris

    with atheris.instrument_imports(include=["idp", "certify"]):
        from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=5", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/", str(corpus)], target.run)
    atheris.Fuzz()


def by_chance(name: str, seconds: int) -> None:
    """Seeds with bytes replaced, cut out and repeated."""
    from tests.fuzz.targets import TARGETS

    chance = random.Random()
    target = TARGETS[name]
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        data = bytearray(chance.choice(target.seeds))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(data) + 1)
            data[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        target.run(bytes(data))


if __name__ == "__main__":
    main()
