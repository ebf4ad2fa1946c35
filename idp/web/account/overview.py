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
from idp.web.receipts import reason_words, scope_words
from idp.web.wire import now, provider
from idp.web.words import client_name

blueprint = Blueprint("overview", __name__)

SHOWN, READ = 10, 40


@dataclass(frozen=True, slots=True)
class Happening:
    """An event in words."""

    at: datetime
    words: str
    details: str
    receipt: str | None


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
        events=_happenings(op.events.of_account(account.id, READ)),
    )


def _happenings(events: Iterable[Event]) -> list[Happening]:
    words = _words()
    told = [
        Happening(event.at, words[event.name], _details(event), event.details.get("receipt"))
        for event in events
        if event.name in words
    ]
    return told[:SHOWN]


def _words() -> dict[str, str]:
    """The events a person is told of."""
    return {
        "SignedIn": gettext("Signed in"),
        "SignedOut": gettext("Signed out"),
        "PasskeyAdded": gettext("Passkey added"),
        "PasskeyRemoved": gettext("Passkey removed"),
        "PasswordChanged": gettext("Password changed"),
        "ProfileChanged": gettext("Profile changed"),
        "ConsentGiven": gettext("App allowed"),
        "ConsentWithdrawn": gettext("App removed"),
        "RefreshTokenReused": gettext("A copied token was used; we ended its access"),
        "CodeReplayed": gettext("A copied code was used; we ended what it gave"),
    }


def _details(event: Event) -> str:
    """What makes the difference between two events of a kind."""
    if event.name == "SignedOut":
        scope, reason = str(event.details["scope"]), str(event.details["reason"])
        return f"{scope_words(scope)}, {reason_words(reason)}"
    if event.name == "SignedIn":
        way = gettext("with a password")
        if "pwd" not in event.details.get("amr", []):
            way = gettext("with a passkey")
        return f"{way}, {event.address}" if event.address else way
    if event.client_id is not None:
        client = provider().clients.find(event.client_id)
        return client_name(client) if client is not None else event.client_id
    return str(event.details.get("passkey", ""))
