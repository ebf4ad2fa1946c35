"""A few people and their apps: `python -m tests.faults.actor PLAN NUMBER SEED`.

They sign in, refresh, call, are robbed, sign out in every way, and try again and again what
must no longer work. Commands are read line by line: `live SECONDS`, then `probe`.
"""

import random
import sys
import threading
import time
from pathlib import Path

from idp.app import create_app
from idp.settings import load
from tests.faults.history import Recorder
from tests.faults.life import Life
from tests.faults.plan import Plan

THREADS = 2


def main() -> None:
    """Do what the parent says."""
    plan, number, seed = Plan.load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    app = create_app(load(environ=plan.environ))
    recorder = Recorder(Path(plan.folder) / f"actor-{number}.jsonl")
    lives = [
        Life(plan, app, recorder, f"actor-{number}-{n}", random.Random(f"{seed} {number} {n}"))
        for n in range(THREADS)
    ]
    for n, life in enumerate(lives):
        life.people = plan.people[number * THREADS + n :: plan.actors * THREADS]
    print("ready", flush=True)
    for line in sys.stdin:
        word, _, seconds = line.strip().partition(" ")
        if word == "live":
            ends = time.monotonic() + float(seconds)
            together([threading.Thread(target=life.until, args=(ends,)) for life in lives])
        else:
            together([threading.Thread(target=life.probe_all) for life in lives])
        print("done", flush=True)
    recorder.close()


def together(threads: list[threading.Thread]) -> None:
    """Start all, wait for all."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
