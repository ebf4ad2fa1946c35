"""The first page of the account: where one is signed in, and what happened lately."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.events import Event
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.language import gettext
from idp.web.reasons import reason_words, scope_words
from idp.web.wire import now, provider
from idp.web.words import client_name

blueprint = Blueprint("overview", __name__)

SHOWN, READ = 10, 40
FROM_WHERE = {"AuthenticatorAdded", "AuthenticatorRemoved", "SecondFactorFailed"}


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in words."""

    at: datetime
    words: str
    details: str
    receipt: str | None
    alarming: bool


@blueprint.get("/account")
@personal("")
def overview(here: Here) -> AnyResponse:
    """Who one is here, and what is going on."""
    op, account = provider(), here.account
    return show(
        here,
        "overview.html",
        sessions=len(op.sessions.of_account(account.id, now())),
        grants=len(op.grants.of_account(account.id)),
        passkeys=len(op.accounts.credentials(account.id)),
        app=op.accounts.second_factors.enrolled(account.id),
        events=_happenings(op.events.of_account(account.id, READ)),
    )


def _happenings(events: Iterable[Event]) -> list[Happening]:
    told = [told for event in events if (told := _happening(event)) is not None]
    return told[:SHOWN]


def _happening(event: Event) -> Happening | None:
    """The event in words; None for one a person need not be told of."""
    alarm = _alarm(event)
    words = alarm or _words().get(event.name)
    if words is None:
        return None
    details = _details(event) if alarm is None else event.address or ""
    return Happening(
        event.at, words, details, event.details.get("receipt"), alarming=alarm is not None
    )


def _words() -> dict[str, str]:
    """The events a person is told of."""
    return {
        "SignedIn": gettext("Signed in"),
        "SignedOut": gettext("Signed out"),
        "PasskeyAdded": gettext("Passkey added"),
        "PasskeyRemoved": gettext("Passkey removed"),
        "AuthenticatorAdded": gettext("Authenticator app added"),
        "AuthenticatorRemoved": gettext("Authenticator app removed"),
        "RecoveryCodesRenewed": gettext("New recovery codes made"),
        "SecondFactorFailed": gettext("Right password, but a wrong code"),
        "PasswordChanged": gettext("Password changed"),
        "PasswordReset": gettext("Password set anew by a link"),
        "ProfileChanged": gettext("Profile changed"),
        "ConsentGiven": gettext("App allowed"),
        "ConsentWithdrawn": gettext("App removed"),
        "DeviceAllowed": gettext("Device connected"),
        "DeviceDenied": gettext("Device refused"),
        "RequestAllowed": gettext("Request allowed"),
        "RequestDenied": gettext("Request refused"),
    }


def _alarm(event: Event) -> str | None:
    """What can only be a thief's doing (RFC 9700 sections 4.5 and 4.14), or is as grave if it
    was not the person's own (TOT-06).
    """
    if event.name == "RecoveryCodeUsed":
        return gettext("A recovery code was used to sign in")
    if event.name == "AuthenticatorRemoved" and event.details.get("by") == "operator":
        return gettext("An administrator took your authenticator app away")
    if event.name == "RefreshTokenReused":
        return gettext("A copied token was used at %(app)s; we ended its access", app=_app(event))
    if event.name == "CodeReplayed":
        return gettext("A copied code was used at %(app)s; we ended what it gave", app=_app(event))
    return None


def _details(event: Event) -> str:
    """What makes the difference between two events of a kind."""
    if event.name == "SignedOut":
        scope, reason = str(event.details["scope"]), str(event.details["reason"])
        return f"{scope_words(scope)}, {reason_words(reason)}"
    if event.name == "SignedIn":
        way = gettext("with a password")
        amr = event.details.get("amr", [])
        if "pwd" not in amr:
            way = gettext("with a passkey")
        elif "otp" in amr:
            way = gettext("with a password and a code")
        return f"{way}, {event.address}" if event.address else way
    if event.name in FROM_WHERE:
        return event.address or ""
    return _app(event) or str(event.details.get("passkey", ""))


def _app(event: Event) -> str:
    """The app that an event concerns, by its name."""
    client = provider().clients.find(event.client_id or "")
    return client_name(client) if client is not None else event.client_id or ""
