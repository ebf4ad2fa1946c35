"""Something is taken away for a while: what each pass is worth meanwhile, and how long until
all is as before. Each pass is used four times a second, and what the API says is kept.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client_demo.lab.wire import Entry
from client_demo.language import N_, gettext, number

SECONDS = 8
EVERY = 0.25
LONGEST = 30.0
THINGS = ("provider", "store", "feed")
KINDS = {"nothing": "alone", "feed": "memory", "list": "asked", "provider": "asked"}
GONE = {
    "provider": N_("The provider is frozen for %(n)s seconds; it comes back by itself"),
    "store": N_("The provider’s store is locked for %(n)s seconds; it comes back by itself"),
    "feed": N_("For %(n)s seconds the API does not hear what has ended"),
}
WORDS = {
    "alone": N_("let in, nobody was asked"),
    "memory": N_("let in, from the API’s own memory"),
    "asked": N_("let in, the provider was asked"),
    "unsure": N_("refused for now, because nobody could say"),
    "out": N_("refused"),
}


@dataclass
class Strip:
    """What becomes of one pass: from when on it was treated how, in milliseconds."""

    use: Callable[[], Entry]
    note: Callable[[Entry], Any]
    usual: str
    turns: list[tuple[int, str]] = field(default_factory=list)
    normal: int | None = None

    def turn(self, at: int, kind: str) -> bool:
        """Note how a call went; whether that is news."""
        if self.turns and self.turns[-1][1] == kind:
            return False
        self.turns.append((at, kind))
        return True


@dataclass
class Outage:
    """One thing that is away, or was."""

    what: str
    started: float = field(default_factory=time.time)
    strips: dict[str, Strip] = field(default_factory=dict)

    def follow(self, name: str, use: Callable[[], Entry], note: Callable[[Entry], Any]) -> None:
        """Know how this pass is treated while all is well."""
        use()  # a guard that has just begun may have to ask
        self.strips[name] = Strip(use, note, kind(use()))

    def begin(self) -> None:
        """It is gone from now on: use each pass until it is treated as before."""
        self.started = time.time()
        for strip in self.strips.values():
            threading.Thread(target=_until_normal, args=(self, strip), daemon=True).start()

    @property
    def ms(self) -> int:
        """How long ago it began."""
        return round((time.time() - self.started) * 1000)

    @property
    def over(self) -> bool:
        """Whether all is as before, or we have waited long enough."""
        done = all(strip.normal is not None for strip in self.strips.values())
        return self.ms > SECONDS * 1000 and (done or self.ms > LONGEST * 1000)

    def shown(self, only: str | None = None) -> dict[str, Any]:
        """As the page gets it, in numbers and in words."""
        rows = [
            {"name": name, "turns": strip.turns, "normal": strip.normal, "said": said(strip)}
            for name, strip in self.strips.items()
            if only in (None, name)
        ]
        away = SECONDS * 1000
        return {"what": self.what, "ms": self.ms, "away": away, "over": self.over, "rows": rows}


def kind(entry: Entry) -> str:
    """Who vouched for the pass, or why it was not let in."""
    if entry.status == 200:  # noqa: PLR2004
        return KINDS.get(entry.asked, "asked")
    return "out" if entry.status == 401 else "unsure"  # noqa: PLR2004


def said(strip: Strip) -> str:
    """In words: what happened, one after the other."""
    if not strip.turns:
        return ""
    first, *later = strip.turns
    words = gettext(WORDS[first[1]])
    parts = [words[:1].upper() + words[1:]]
    for at, found in later:
        seconds = number(at / 1000)
        if at == strip.normal:
            parts.append(gettext("as before after %(n)s s", n=seconds))
        else:
            words = gettext(WORDS[found])
            parts.append(gettext("after %(n)s s: %(words)s", n=seconds, words=words))
    if not later and strip.normal is not None:
        parts.append(gettext("all the time"))
    return "; ".join(parts) + "."


def _until_normal(outage: Outage, strip: Strip) -> None:
    line: Entry | None = None
    while not outage.over and strip.normal is None:
        before, asked_at = time.monotonic(), outage.ms
        entry = strip.use()
        found = kind(entry)
        if strip.turn(asked_at, found) or line is None:
            entry.words, entry.ending = N_("Meanwhile the app calls"), WORDS[found]
            entry.tone = "bad" if found in ("unsure", "out") else "good"
            line = strip.note(entry)
        else:
            line.times += 1
        if found == strip.usual and asked_at > SECONDS * 1000:
            strip.normal = strip.turns[-1][0]
        time.sleep(max(0.0, EVERY - (time.monotonic() - before)))
