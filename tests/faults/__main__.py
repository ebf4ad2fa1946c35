"""`make faults`: as long as one likes, on both stores, and the figures."""

import argparse
import tempfile
from pathlib import Path

from tests.faults.run import run

STORES = ("sqlite", "postgresql")


def main() -> int:
    """The command line; the exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="for each store")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    broken = 0
    for store in given.stores:
        folder = Path(tempfile.mkdtemp(prefix=f"idp-faults-{store}-"))
        seen = run(store, folder, seconds=60 * given.minutes, seed=given.seed)
        print(f"== {store}, seed {given.seed}; the history is in {folder}\n\n{seen.report}\n")
        broken += len(seen.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
