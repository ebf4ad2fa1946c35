"""After a sign-out: the old pass is tried again and again, until the API refuses it."""

import threading
import time

from client_demo.lab.deeds import thief_follows
from client_demo.lab.guests import Clock, Guest, Stand
from client_demo.lab.player import OK, UNAUTHORIZED, Player
from client_demo.lab.wire import Entry
from client_demo.language import N_

EVERY = 0.05
LONGEST = 120.0
NOT_CONCERNED = 10.0


def watch(guest: Guest, stand: Stand, player: Player) -> None:
    """Start the clock now, and a thread that calls with the pass of now. The pass is the one
    the app has at the click; nothing later counts.
    """
    token, visit = player.token(stand), stand.visit
    if token is None or (stand.clock is not None and stand.clock.refused is None):
        return
    clock = Clock(time.time(), visit.tokens.get("expires_at"))
    stand.clock = clock
    threading.Thread(
        target=_until_refused, args=(guest, stand, player, token, clock), daemon=True
    ).start()


def _until_refused(guest: Guest, stand: Stand, player: Player, token: str, clock: Clock) -> None:
    visit, key, let_in = stand.visit, stand.key, None
    while True:
        before = time.time()
        entry = player.knock(token, key)
        clock.calls += 1
        if entry.status == UNAUTHORIZED:
            clock.refused = time.time()
            break
        let_in = _still(stand, entry, let_in)
        lasted = time.time() - clock.started
        if lasted > LONGEST or (visit.user is not None and lasted > NOT_CONCERNED):
            clock.gone = True  # it was another sign-in that ended
            return
        time.sleep(max(0.0, EVERY - (time.time() - before)))
    entry.lane, entry.tone = "watch", "good"
    entry.words = N_("Refused, %(ms)s ms after the click on “sign out”")
    entry.values = {"ms": clock.ms}
    stand.note(entry)
    guest.measure(player.exhibit.name, clock.ms or 0)
    thief_follows(player, stand)


def _still(stand: Stand, entry: Entry, before: Entry | None) -> Entry:
    """One line for all the calls in a row that went alike."""
    if before is not None and before.status == entry.status:
        before.times += 1
        return before
    entry.lane = "watch"
    entry.words = N_("The old pass is tried again and again")
    entry.ending = N_("still let in") if entry.status == OK else N_("no answer to rely on")
    return stand.note(entry)
