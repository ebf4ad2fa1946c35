"""What `idp policies compare --json` has measured, if its file lies here."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from client_demo.language import N_

FILE = Path(__file__).parents[2] / "docs" / "policies.json"
LOOT = {
    "nothing": N_("not at all"),
    "once": N_("until sign-out"),
    "caught": N_("until you renew"),
    "longer": N_("until it expires"),
}
"""For how long a thief gets in."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One policy. Times are milliseconds; `asked` counts questions to the provider a call."""

    p50: float
    p99: float
    slowest: float
    price: float
    asked: float
    state: int
    thief: tuple[str, str]
    """What a copied pass is worth on another device, and a copied renewal key: words of LOOT."""

    def shown(self) -> dict[str, Any]:
        """The numbers, for the chart."""
        names = ("p50", "p99", "slowest", "price", "asked", "state")
        return {name: getattr(self, name) for name in names}


@lru_cache(maxsize=1)
def measured(path: Path = FILE) -> dict[str, Figures]:
    """By policy. A row that is not whole is left out, and so is a file that cannot be read."""
    try:
        rows = json.loads(path.read_text())["rows"]
        return {
            row["policy"]: _figures(row)
            for row in rows
            if row["sign_out"] and row["cost"] and row["thief"]
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _figures(row: dict[str, Any]) -> Figures:
    took, cost = row["sign_out"]["took"], row["cost"]
    return Figures(
        p50=float(took["p50"]),
        p99=float(took["p99"]),
        slowest=float(took["max"]),
        price=float(cost["call_ms"]),
        asked=float(cost["provider_calls"]),
        state=int(cost["state_bytes"]),
        thief=(_with_pass(row), _with_renewal_key(row["thief"])),
    )


def _with_pass(row: dict[str, Any]) -> str:
    if not row["thief"]["access_worked"]:
        return "nothing"
    return "longer" if row["ends"] == "AT_EXPIRY" else "once"


def _with_renewal_key(thief: dict[str, Any]) -> str:
    if not (thief["new_refresh_worked"] or thief["old_refresh_worked"]):
        return "nothing"
    if not thief["owner_kept_line_after_new"]:
        return "caught"
    return "once" if thief["loot_ended_by_sign_out"] else "longer"
