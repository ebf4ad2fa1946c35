"""`python -m bench`: measure, print the table, and say which budgets are kept."""

import argparse
import json
import platform
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.flows import FLOWS, Flow
from bench.report import Row, as_data, as_text, summary
from bench.rounds import CONNECTIONS, measure
from bench.servers import THREADS, WORKERS, hello_server, provider

STORES = ("sqlite", "postgresql")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 1 when a budget is broken."""
    given = _parser().parse_args(arguments)
    flows = [flow for flow in FLOWS if given.only in flow.name]
    rows = run(given.stores, flows, given.seconds, given.moment)
    print(f"granian WSGI, {WORKERS} workers with {THREADS} threads; {CONNECTIONS} connections.")
    print("CPU ms: of the server's processes, for one request. x hello: of the same round.\n")
    print(as_text(rows))
    if given.json is not None:
        given.json.write_text(json.dumps(_document(rows), indent=2) + "\n")
    broken = [row for row in rows if row.verdict == "FAIL"]
    print(f"\n{len(broken)} budgets broken." if broken else "\nEvery budget is kept.")
    return 1 if broken else 0


def run(stores: Sequence[str], flows: Sequence[Flow], seconds: float, moment: float) -> list[Row]:
    """Start everything, measure, stop everything."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-")))
        yardstick = stack.enter_context(hello_server())
        providers = [stack.enter_context(provider(name, folder / name)) for name in stores]
        measured = measure(yardstick, providers, flows, seconds=seconds, moment=moment)
        return [summary(each) for each in measured]


def _document(rows: Sequence[Row]) -> dict[str, object]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": as_data(rows),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=150, help="how long to measure in all")
    parser.add_argument("--moment", type=float, default=0.4, help="how long one flow is driven")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--only", default="", help="flows whose name contains this text")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
