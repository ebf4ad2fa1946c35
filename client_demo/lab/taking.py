"""Taking something away, and trying all passes of one browser meanwhile."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from client_demo.lab import outage
from client_demo.lab.deeds import Operator
from client_demo.lab.guests import Guest
from client_demo.lab.outage import Outage
from client_demo.lab.player import OK, Player


def take(guest: Guest, players: Mapping[str, Player], operator: Operator, thing: str) -> bool:
    """Whether it is gone now. A pass that would run out meanwhile is renewed before."""
    held = [(players[n], s) for n, s in guest.stands.items() if s.visit.user is not None]
    if not held or (guest.outage is not None and not guest.outage.over):
        return False
    gone = Outage(thing)
    for player, stand in held:
        if stand.visit.tokens.get("expires_at", 0) - time.time() < outage.LONGEST:
            player.renew(stand)
        gone.follow(player.exhibit.name, partial(player.use, stand), stand.note)
    if operator.asks("take", thing=thing, seconds=outage.SECONDS) != OK:
        return False
    for _, stand in held:
        stand.say("operator", outage.GONE[thing], "bad", values={"n": outage.SECONDS})
    gone.begin()
    guest.outage = gone
    return True


def shown(guest: Guest | None, name: str | None = None) -> dict[str, Any] | None:
    """What is away, or was, as a page draws it."""
    gone = guest.outage if guest is not None else None
    return None if gone is None else gone.shown(name)
