"""The ten side by side: what was measured beforehand, and what this visit sees."""

import time
from typing import Any

from client_demo.lab.exhibits import EXHIBITS
from client_demo.lab.guests import Guest, Stand
from client_demo.lab.measured import LOOT, Figures, measured
from client_demo.language import gettext, number

SECOND = 1000.0
SLOW = 3 * SECOND
KILO = 1000


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


def said(ms: float) -> str:
    """A time, as people say it."""
    if ms < 1:
        return gettext("under 1 ms")
    return f"{ms:.0f} ms" if ms < SECOND else gettext("%(n)s s", n=number(ms / SECOND))


def _row(name: str, guest: Guest | None) -> dict[str, Any]:
    before, stand = measured().get(name), guest.stands.get(name) if guest is not None else None
    here = guest.measured.get(name, []) if guest is not None else []
    clock = stand.clock if stand is not None else None
    row: dict[str, Any] = {"name": name, "state": "idle", "here": here, "running": None}
    if clock is not None and clock.refused is None and not clock.gone:
        row |= {"state": "running", "running": (time.time() - clock.started) * SECOND}
    elif here:
        row["state"] = "refused"
    elif _signed_in(stand):
        row["state"] = "ready"
    now = row["running"] if row["running"] is not None else here[-1] if here else None
    row["now"] = now
    row["slow"] = (now if now is not None else before.p50 if before else 0.0) > SLOW
    row["before"] = before.shown() if before is not None else None
    words = _words(now, before)
    row |= {"words": words, "sentence": _sentence(words)}
    row["loot"] = list(before.thief) if before is not None else []
    return row


def _words(now: float | None, before: Figures | None) -> dict[str, str]:
    """The same in words, for the table and for whoever cannot see a chart."""
    words = {"now": said(now)} if now is not None else {}
    if before is not None:
        words |= {
            "p50": said(before.p50),
            "p99": said(before.p99),
            "slowest": said(before.slowest),
            "price": gettext("%(n)s ms", n=number(before.price)),
            "asked": f"{before.asked:g}",
            "state": gettext("%(n)s KB", n=number(before.state / KILO)),
            "access": gettext(LOOT[before.thief[0]]),
            "refresh": gettext(LOOT[before.thief[1]]),
        }
    return words


def _sentence(words: dict[str, str]) -> str:
    """A row, read aloud."""
    parts = [gettext("Your sign-out: %(now)s.", now=words["now"])] if "now" in words else []
    if "p50" in words:
        parts += [
            gettext("Measured beforehand: let in for %(p50)s, at worst %(slowest)s.", **words),
            gettext("One call takes %(price)s, with %(asked)s questions to the provider.", **words),
            gettext("For each sign-in, %(state)s are kept.", **words),
            gettext("A thief gets in with a copied pass: %(access)s;", **words),
            gettext("with a copied renewal key: %(refresh)s.", **words),
        ]
    return " ".join(parts) or gettext("Nothing is measured yet.")


def _signed_in(stand: Stand | None) -> bool:
    return stand is not None and stand.visit.user is not None
