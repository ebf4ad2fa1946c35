"""What the buttons of an exhibit do. Each leaves in the timeline what it did."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from client_demo.lab.exhibits import EDITOR, READER
from client_demo.lab.guests import Stand, Thief
from client_demo.lab.player import OK, Player, outcome
from client_demo.lab.proofs import DeviceKey
from client_demo.lab.wire import part
from client_demo.language import N_

HEARD_WITHIN = 3.0  # seconds; a guard that has heard nothing for so long asks


class Operator:
    """The demo's operator, for what no app may do: it is there only where the demo runs."""

    def __init__(self, address: str | None, secret: str) -> None:
        self._address = address
        self._secret = secret

    @property
    def here(self) -> bool:
        return self._address is not None

    def asks(self, what: str, **said: Any) -> int:  # noqa: ANN401 - JSON
        """Ask for one deed; the status of the answer."""
        if self._address is None:
            return 404
        headers = {"Authorization": f"Bearer {self._secret}"}
        try:
            url = f"{self._address}/{what}"
            return httpx.post(url, json=said, headers=headers, timeout=30).status_code
        except httpx.HTTPError:
            return 0


Deed = Callable[[Player, Stand, Operator], None]


def call(player: Player, stand: Stand, _: Operator) -> None:
    """The owner calls, and whoever holds a copy does the same."""
    player.call(stand)
    thief_follows(player, stand)


def call_other(player: Player, stand: Stand, _: Operator) -> None:
    """Call the second API with its own pass."""
    player.call(stand, len(player.doors) - 1)


def wrong_door(player: Player, stand: Stand, _: Operator) -> None:
    """The pass of the first API, at the second."""
    last = len(player.doors) - 1
    entry = player.knock(player.token(stand) or "", stand.key, door=last)
    entry.words, entry.ending = N_("The pass of the first door, at the second"), outcome(entry)
    entry.tone = "bad" if entry.status == OK else "good"
    stand.note(entry)


def take_back(player: Player, stand: Stand, _: Operator) -> None:
    """End the pass of the first API alone (RFC 7009); the other one lives on."""
    token = player.token(stand)
    if token is None:
        return
    entry = player.take_back(token)
    entry.words = N_("The app takes back this one pass, and keeps the other")
    stand.note(entry)


def write(player: Player, stand: Stand, _: Operator) -> None:
    """What only an editor may do."""
    player.call(stand, method="POST")


def renew(player: Player, stand: Stand, _: Operator) -> None:
    """The owner renews now. If that ends the line, the API is given the moment it may take to
    hear of it, before the thief tries.
    """
    player.renew(stand)
    ends = time.monotonic() + HEARD_WITHIN
    while stand.visit.user is None and _thief_is_let_in(player, stand) and time.monotonic() < ends:
        time.sleep(0.05)
    thief_follows(player, stand)


def steal_access(player: Player, stand: Stand, _: Operator) -> None:
    """A copy of the pass; from now on the thief calls whenever the owner does."""
    stand.thief = stand.thief or Thief(key=DeviceKey() if player.exhibit.bound else None)
    stand.thief.access_token = player.token(stand)
    stolen = [part("access_token", stand.thief.access_token or "")]
    stand.say("thief", N_("A thief copies the pass"), "bad", got=stolen)
    thief_follows(player, stand)


def steal_refresh(player: Player, stand: Stand, _: Operator) -> None:
    """A copy of the renewal key, used from another browser at once."""
    refresh_token = stand.visit.tokens.get("refresh_token")
    if refresh_token is None:
        return
    thief = stand.thief = stand.thief or Thief(key=DeviceKey() if player.exhibit.bound else None)
    stolen = [part("refresh_token", refresh_token)]
    stand.say("thief", N_("A thief copies the renewal key"), "bad", got=stolen)
    entry, said = player.refreshed_by(thief.key, refresh_token)
    entry.lane, won = "thief", entry.status == OK
    entry.tone = "bad" if won else "good"
    entry.words = N_("In another browser, the thief gets a pass of their own for it")
    if not won:
        entry.words = N_("In another browser, the thief asks for a pass: refused")
    stand.note(entry)
    if won:
        thief.access_token, thief.refresh_token = said["access_token"], said["refresh_token"]
        thief_follows(player, stand)


def lose_key(player: Player, stand: Stand, _: Operator) -> None:
    """The device loses its key and makes another one. Nothing works with it, so the old line is
    given up, and the person signs in once more.
    """
    tokens = stand.visit.tokens
    if stand.key is None or "refresh_token" not in tokens:
        return
    stand.lost_key, stand.lost_token = stand.key, tokens["access_token"]
    stand.key, stand.rebound, refresh_token = DeviceKey(), False, tokens["refresh_token"]
    stand.say("you", N_("The device has lost its key, and makes a new one"), "bad")
    player.call(stand)
    player.renew(stand, N_("The app tries to renew with the new key"))
    entry = player.take_back(refresh_token)
    entry.words = N_("The app gives up the old line, and with it the old key")
    stand.note(entry)
    player.visits.end(stand.visit, "the lost key")


def change_role(player: Player, stand: Stand, operator: Operator) -> None:
    """An operator makes an editor of a reader, or the other way round; the app is not told."""
    username = (stand.visit.user or {}).get("preferred_username", "")
    wanted = READER if stand.roles == [EDITOR] else EDITOR
    status = operator.asks("role", username=username, resource=player.doors[0], role=wanted)
    if status == OK:
        stand.roles = [wanted]
        reader = N_("An operator makes %(username)s a reader")
        words = N_("An operator makes %(username)s an editor") if wanted == EDITOR else reader
        url = f"idp role set {username} {player.doors[0]} {wanted}"
        stand.say("operator", words, url=url, values={"username": username})
    else:
        stand.say("operator", N_("The operator could not change the role"), "bad")


def everywhere(player: Player, stand: Stand, operator: Operator) -> None:
    """Sign out in every browser and every app."""
    username = (stand.visit.user or {}).get("preferred_username", "")
    status = operator.asks("everywhere", username=username)
    words = N_("Signed out everywhere: every browser, every app")
    if status != OK:
        words = N_("The operator could not sign you out")
    url = f"idp account sign-out {username}"
    stand.say("operator", words, "plain" if status == OK else "bad", url=url)


def _thief_is_let_in(player: Player, stand: Stand) -> bool:
    thief = stand.thief
    if thief is None or thief.access_token is None:
        return False
    return player.knock(thief.access_token, thief.key).status == OK


def thief_follows(player: Player, stand: Stand) -> None:
    """The thief replays what they hold. With a bound pass they can only offer a key of theirs."""
    thief = stand.thief
    if thief is None or thief.access_token is None:
        return
    entry = player.knock(thief.access_token, thief.key)
    thief.let_in = entry.status == OK
    entry.lane, entry.tone = "thief", "bad" if thief.let_in else "good"
    entry.words, entry.ending = N_("The thief calls with the stolen pass"), outcome(entry)
    stand.note(entry)


DEEDS: dict[str, Deed] = {
    "call": call,
    "call-other": call_other,
    "wrong-door": wrong_door,
    "take-back": take_back,
    "write": write,
    "renew": renew,
    "steal-access": steal_access,
    "steal-refresh": steal_refresh,
    "lose-key": lose_key,
    "change-role": change_role,
    "everywhere": everywhere,
}
