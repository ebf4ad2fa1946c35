"""The comparison, as it was measured: in this very visit, or by `idp policies compare`."""

import json
import math
import time
from functools import lru_cache
from pathlib import Path
from statistics import median
from typing import Any

from client_demo.lab.exhibits import EXHIBITS
from client_demo.lab.guests import Guest, Stand

MEASURED = Path(__file__).parents[2] / "docs" / "policies.json"
LEAST, MOST, SLOW = 1.0, 60_000.0, 3000.0
TICKS = tuple(
    {"at": f"{100 * math.log10(ms) / math.log10(MOST):.2f}", "words": words}
    for ms, words in ((1, "1 ms"), (10, "10 ms"), (100, "0.1 s"), (1000, "1 s"), (10_000, "10 s"))
)


def rows(guest: Guest | None) -> list[dict[str, Any]]:
    """One for each exhibit, in their order."""
    return [_row(exhibit.name, guest) for exhibit in EXHIBITS]


def source(guest: Guest | None) -> str:
    """Where the numbers are from."""
    if running(guest):
        return "race"
    if guest is not None and guest.measured:
        return "visit"
    return "file" if measured() else "none"


def running(guest: Guest | None) -> bool:
    """Whether an old pass is being tried at this moment."""
    clocks = [stand.clock for stand in (guest.stands if guest else {}).values() if stand.clock]
    return any(clock.refused is None and not clock.gone for clock in clocks)


@lru_cache(maxsize=1)
def measured(path: Path = MEASURED) -> dict[str, dict[str, float]]:
    """What `idp policies compare --json` has measured, if it lies here: for each policy the
    milliseconds until its token was refused, and of one call.
    """
    try:
        return {
            row["policy"]: {"ms": row["sign_out"]["took"]["p50"], "price": row["cost"]["call_ms"]}
            for row in json.loads(path.read_text())["rows"]
            if row["sign_out"] and row["cost"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def position(ms: float) -> float:
    """Where a time stands between the ends of the chart, in percent, on a logarithmic scale."""
    kept = min(max(ms, LEAST), MOST)
    return round(100 * math.log10(kept / LEAST) / math.log10(MOST / LEAST), 2)


def said(ms: float) -> str:
    """A time, as people say it."""
    if ms < 1:
        return "under 1 ms"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"  # noqa: PLR2004


def _row(name: str, guest: Guest | None) -> dict[str, Any]:
    before, stand = measured().get(name), guest.stands.get(name) if guest is not None else None
    here = guest.measured.get(name, []) if guest is not None else []
    prices = guest.prices.get(name) if guest is not None else None
    row: dict[str, Any] = {"name": name, "state": "idle", "dots": [position(ms) for ms in here]}
    ms = float(here[-1]) if here else (before or {}).get("ms")
    price = median(prices) if prices else (before or {}).get("price")
    clock = stand.clock if stand is not None else None
    if clock is not None and clock.refused is None and not clock.gone:
        ms, row["state"] = (time.time() - clock.started) * 1000, "running"
    elif here:
        row["state"] = "refused"
    elif _signed_in(stand):
        row["state"] = "ready"
    row["slow"] = ms is not None and ms > SLOW
    row |= {"ms": ms, "price": price, "at": position(ms) if ms is not None else 0}
    row["words"] = said(ms) if ms is not None else ""
    row["price_words"] = f"{price:.1f} ms" if price is not None else ""
    return row


def _signed_in(stand: Stand | None) -> bool:
    return stand is not None and stand.visit.user is not None
