"""`make faults`: as long as one likes, or as many as one likes, on both stores; the figures."""

import argparse
import tempfile
from pathlib import Path

from tests.faults import bursts, volume
from tests.faults.run import run

STORES = ("sqlite", "postgresql")


def main() -> int:
    """The command line; the exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1, help="for each store")
    parser.add_argument("--volume", type=int, default=0, help="so many sign-outs instead")
    parser.add_argument("--bursts", type=int, default=0, help="so many contention bursts instead")
    parser.add_argument("--strict", action="store_true", help="sign-outs wait for guards")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    broken = 0
    for store in given.stores:
        print(f"== {store}, seed {given.seed}", flush=True)
        if given.volume:
            seen = volume.many(store, _folder(store), count=given.volume, seed=given.seed)
            broken += seen.tally.violated.total()
            print(f"{seen.report}\n", flush=True)
        if given.bursts:
            wrong, said = bursts.many(store, _folder(store), given.bursts)
            broken += wrong
            print(f"{said}\n", flush=True)
        if not given.volume and not given.bursts:
            broken += _lived(store, 60 * given.minutes, given.seed, strict=given.strict)
    return 1 if broken else 0


def _lived(store: str, seconds: float, seed: int, *, strict: bool) -> int:
    folder = _folder(store)
    seen = run(store, folder, seconds=seconds, seed=seed, strict=strict)
    print(f"the history is in {folder}\n\n{seen.report}\n", flush=True)
    return len(seen.broken)


def _folder(store: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"idp-faults-{store}-"))


if __name__ == "__main__":
    raise SystemExit(main())
