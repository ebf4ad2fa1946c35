"""A receipt in words: what ended, who was told, and what became of it (promise P8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from flask import Response

from idp.domain.receipts import (
    ASKED,
    CLOSING,
    CONFIRMED,
    ENDED,
    FAILED,
    LIVES,
    RETRYING,
    SURVIVES,
    TELLING,
    TOLD,
    Receipt,
)
from idp.protocol.receipts import PROOF_TYPE, proof
from idp.web.language import gettext
from idp.web.wire import now, provider
from idp.web.words import device, host


class Concern(Protocol):
    """One line of a receipt, or of the preview of one."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def until(self) -> datetime | None: ...
    @property
    def audience(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, with a mark in front and perhaps a moment after it."""

    mark: str
    words: str
    until: datetime | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """A browser or an app, and what is said of it."""

    name: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says of a receipt; while it waits, it asks again."""

    verdict: list[Line]
    subjects: list[Subject]
    waiting: bool


def subjects(concerns: Iterable[Concern], at: datetime, now: datetime) -> list[Subject]:
    """Sentences by browser, app and API, each said once."""
    rows = list(concerns)
    followed = _followed(rows)
    rows = [row for row in rows if not (_is_silent(row) and row.name in followed)]
    access = _Access(rows, at, now)
    found: dict[tuple[str, str], Subject] = {}
    for number, concern in enumerate(rows):
        key, name = _heading(concern, number)
        subject = found.setdefault(key, Subject(name))
        line = access.line(concern) if concern.kind == "access" else _line(concern)
        if line not in subject.lines:
            subject.lines.append(line)
    return list(found.values())


def _heading(concern: Concern, number: int) -> tuple[tuple[str, str], str]:
    """Under which name a line stands."""
    if concern.kind == "session":
        name = gettext("Sign-in: %(browser)s", browser=device(concern.name))
        return ("session", str(number)), name
    if concern.kind == "guard":
        return ("guard", concern.name), gettext("Guard: %(name)s", name=concern.name)
    return ("app", concern.name), concern.name


def verdict(concerns: Iterable[Concern], now: datetime) -> list[Line]:
    """All of it in one or two sentences: what goes on, or that it is over."""
    rows = list(concerns)
    telling = _names(row for row in rows if row.state in (TELLING, RETRYING))
    silent = [row for row in rows if _is_silent(row) and row.name not in _followed(rows)]
    untold = _names([*(row for row in rows if row.state == FAILED), *silent])
    confirmed = {row.name for row in rows if row.state == TOLD}
    asked = _names(row for row in rows if row.state == ASKED and row.name not in confirmed)
    lives = [row.until for row in rows if row.state == LIVES and row.until is not None]
    lines = []
    if telling:
        lines.append(Line("telling", gettext("Still being told: %(apps)s.", apps=telling)))
    if lives and max(lives) > now:
        words = gettext("The last access that was given before lives until")
        lines.append(Line("lives", words, max(lives)))
    if asked:
        words = gettext(
            "Asked through your browser, which nobody can confirm: %(apps)s.", apps=asked
        )
        lines.append(Line("silent", words))
    if untold:
        words = gettext("May still show you as signed in: %(apps)s.", apps=untold)
        lines.append(Line("silent", words))
    return lines or [Line("ended", gettext("All of it is over."))]


def is_waiting(concerns: Iterable[Concern], at: datetime, now: datetime) -> bool:
    """Whether somebody is still being told, or APIs may not have heard of it yet."""
    states = {concern.state for concern in concerns}
    return bool(states & {TELLING, RETRYING}) or (CLOSING in states and _is_news(at, now))


def _is_news(at: datetime, now: datetime) -> bool:
    """Whether there may be a guard that has not heard of it. One that has heard nothing for
    longer asks us, or lets nobody in.
    """
    return now - at < provider().rules.max_silence


def _is_silent(concern: Concern) -> bool:
    return concern.kind == "app" and concern.state == ENDED


def _followed(concerns: Iterable[Concern]) -> set[str]:
    """The apps that hear of it by a stream of events, even if they cannot be told otherwise."""
    return {row.name for row in concerns if row.kind == "stream"}


def _names(concerns: Iterable[Concern]) -> str:
    return ", ".join(sorted({concern.name for concern in concerns}))


def preview(concerns: Iterable[Concern]) -> list[str]:
    """What would end, before it does: each sign-in, and what is said of an app once."""
    said: list[str] = []
    for concern in concerns:
        words = _to_come(concern)
        if words and (concern.kind == "session" or words not in said):
            said.append(words)
    return said


def _to_come(concern: Concern) -> str:
    name = concern.name
    match concern.kind, concern.state:
        case "session", _:
            words = gettext("The sign-in: %(browser)s", browser=device(name))
        case "app", "telling":
            words = gettext("%(app)s is signed out, and told so", app=name)
        case "app", _:
            words = gettext("%(app)s is signed out; it cannot be told", app=name)
        case "frontchannel", _:
            words = gettext("%(app)s is asked through your browser to sign you out", app=name)
        case "line", _:
            words = gettext("%(app)s can no longer renew its access", app=name)
        case "offline", "ended":
            words = gettext("%(app)s no longer stays connected", app=name)
        case _:
            words = ""
    return words


def _line(concern: Concern) -> Line:
    match concern.kind:
        case "session":
            return Line("ended", gettext("Ended."))
        case "app" | "stream":
            return _app(concern)
        case "frontchannel":
            return _asked()
        case "line":
            return Line("ended", gettext("Cannot renew its access any more."))
        case "guard":
            return _guard(concern)
        case _:
            return _offline(concern)


def _app(concern: Concern) -> Line:
    elsewhere = gettext("If it is still open somewhere, sign out there, too.")
    silent = Line(
        "silent", gettext("Signed out here, but this app cannot be told."), more=elsewhere
    )
    again = gettext("Did not answer yet. The next try is at")
    return {
        TELLING: Line("telling", gettext("Is being told …")),
        TOLD: Line("told", gettext("Was told, and has confirmed.")),
        RETRYING: Line("retrying", again, concern.until),
        FAILED: Line("failed", gettext("Could not be told."), more=elsewhere),
    }.get(concern.state, silent)


def _asked() -> Line:
    words = gettext("Your browser was given the address at which this app signs you out.")
    more = gettext("Whether it did cannot be confirmed.")
    return Line("silent", words, more=more)


def _endurance(concern: Concern) -> tuple[int, datetime]:
    """Of two, that which is over later is greater."""
    state = (ENDED, CLOSING, LIVES).index(concern.state)
    return state, concern.until or datetime.max.replace(tzinfo=UTC)


class _Access:
    """What became of access that was given before: at each API what lives longest. The API is
    named where not all of an app's fares alike.
    """

    def __init__(self, rows: Iterable[Concern], at: datetime, now: datetime) -> None:
        access: dict[tuple[str, str | None], Concern] = {}
        for row in rows:
            if row.kind == "access":
                place = (row.name, row.audience)
                access[place] = max(access.get(place, row), row, key=_endurance)
        self._now = now
        self._news = _is_news(at, now)
        self._alike: dict[str, set[Line]] = {}
        self._access = access
        for row in access.values():
            self._alike.setdefault(row.name, set()).add(self._said(row, ""))
        named = provider().resources.named(row.audience or "" for row in access.values())
        self._apis = {api.identifier: str(api.name) for api in named}

    def line(self, concern: Concern) -> Line:
        """The sentence about one of them."""
        longest = self._access[concern.name, concern.audience]
        alike = len(self._alike[concern.name]) == 1
        return self._said(longest, "" if alike else self._api(longest.audience))

    def _api(self, audience: str | None) -> str:
        """What an API is called; one that is gone has its address, and we have our name."""
        if audience == provider().rules.issuer:
            return provider().rules.name
        return self._apis.get(audience or "", host(audience or ""))

    def _said(self, row: Concern, api: str) -> Line:
        what = gettext("Access it was given before")
        if api:
            what = gettext("Access to %(api)s", api=api)
        if row.state == LIVES and row.until is not None:
            if row.until <= self._now:
                return Line("ended", gettext("%(access)s has run out at", access=what), row.until)
            asked = gettext("APIs that ask us refuse it at once.")
            return Line("lives", gettext("%(access)s lives until", access=what), row.until, asked)
        if row.state == CLOSING and self._news:
            words = gettext("%(access)s is over; the APIs hear of it right now.", access=what)
            return Line("ended", words)
        return Line("ended", gettext("%(access)s is over.", access=what))


def _guard(concern: Concern) -> Line:
    if concern.state == CONFIRMED:
        return Line("told", gettext("Knows of it, and has confirmed."))
    return Line("ended", gettext("Did not answer. It trusts nothing that it knew before."))


def _offline(concern: Concern) -> Line:
    if concern.state == SURVIVES:
        return Line(
            "survives",
            gettext("Stays connected, as you allowed; this is not ended by signing out here."),
            more=gettext("You can end it under “Apps” in your account."),
        )
    return Line("ended", gettext("No longer stays connected when you are signed out."))


def shown(receipt: Receipt) -> Shown:
    """The receipt as it stands now."""
    lines = provider().sign_outs.receipts.lines(receipt.id)
    at, moment = receipt.at, now()
    return Shown(verdict(lines, moment), subjects(lines, at, moment), is_waiting(lines, at, moment))


def as_file(row: Receipt) -> Response:
    """The receipt as it stands now, signed by us, to be kept or shown."""
    response = Response(proof(provider(), row, now()), content_type=PROOF_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="receipt-{row.id[:8]}.jwt"'
    return response
