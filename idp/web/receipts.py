"""A receipt in words: what ended, who was told, and what became of it (promise P8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from idp.domain.receipts import (
    CLOSING,
    CONFIRMED,
    ENDED,
    FAILED,
    LIVES,
    RETRYING,
    SURVIVES,
    TELLING,
    TOLD,
)
from idp.web.language import gettext
from idp.web.words import device


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


def subjects(concerns: Iterable[Concern], now: datetime) -> list[Subject]:
    """Sentences by browser and app, each said once."""
    found: dict[tuple[str, str], Subject] = {}
    for number, concern in enumerate(concerns):
        if concern.kind == "session":
            key = ("session", str(number))
            name = gettext("Sign-in: %(browser)s", browser=device(concern.name))
        else:
            key, name = ("app", concern.name), concern.name
        subject = found.setdefault(key, Subject(name))
        line = _line(concern, now)
        if line not in subject.lines:
            subject.lines.append(line)
    return list(found.values())


def is_waiting(concerns: Iterable[Concern]) -> bool:
    """Whether somebody is still being told."""
    return any(concern.state in (TELLING, RETRYING) for concern in concerns)


def preview(concerns: Iterable[Concern]) -> list[str]:
    """What would end, before it does: each sign-in, and what is said of an app once."""
    said: list[str] = []
    for concern in concerns:
        words = _to_come(concern)
        if words and (concern.kind == "session" or words not in said):
            said.append(words)
    return said


def _to_come(concern: Concern) -> str:
    name, state = concern.name, concern.state
    if concern.kind == "session":
        return gettext("The sign-in: %(browser)s", browser=device(name))
    if concern.kind == "app" and state == TELLING:
        return gettext("%(app)s is signed out, and told so", app=name)
    if concern.kind == "app":
        return gettext("%(app)s is signed out; it cannot be told", app=name)
    if concern.kind == "line":
        return gettext("%(app)s can no longer renew its access", app=name)
    if concern.kind == "offline" and state == ENDED:
        return gettext("%(app)s no longer stays connected", app=name)
    return ""


def _line(concern: Concern, now: datetime) -> Line:
    match concern.kind:
        case "session":
            return Line("ended", gettext("Ended."))
        case "app":
            return _app(concern)
        case "line":
            return Line("ended", gettext("Cannot renew its access any more."))
        case "access":
            return _access(concern, now)
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


def _access(concern: Concern, now: datetime) -> Line:
    if concern.state == ENDED:
        return Line("ended", gettext("Access it was given before is over."))
    if concern.state == CLOSING:
        return Line(
            "ended", gettext("Access it was given before is over; the APIs hear of it right now.")
        )
    if concern.state == LIVES and concern.until is not None and concern.until > now:
        return Line(
            "lives",
            gettext("Access it was given before lives until"),
            concern.until,
            gettext("APIs that ask us refuse it at once."),
        )
    return Line("ended", gettext("Access it was given before has run out at"), concern.until)


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


def scope_words(scope: str) -> str:
    """What was ended, as one says it."""
    return {
        "app": gettext("one app in one browser"),
        "browser": gettext("one browser"),
        "everywhere": gettext("everywhere"),
        "elsewhere": gettext("everywhere but one browser"),
        "app_everywhere": gettext("one app everywhere"),
        "line": gettext("one app's access"),
    }.get(scope, scope)


def reason_words(reason: str) -> str:
    """Why it was ended, as one says it."""
    return {
        "signed_out": gettext("you signed out"),
        "expired": gettext("its time was over"),
        "administrator": gettext("an administrator did it"),
        "disabled": gettext("the account was disabled"),
        "password_changed": gettext("the password was changed"),
        "credential_removed": gettext("a passkey was removed"),
        "token_reused": gettext("a copied token was used"),
        "code_replayed": gettext("a copied code was used"),
        "consent_withdrawn": gettext("you removed the app"),
        "revoked": gettext("the app asked for it"),
        "other_account": gettext("another person signed in"),
    }.get(reason, reason)
