"""Where I am signed in, and ending any of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, request
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.grants import Line
from idp.domain.reach import ELSEWHERE, EVERYWHERE, Filters, scope_of
from idp.domain.sessions import Participation, Session
from idp.domain.sign_out import Because, Receipt
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.language import gettext
from idp.web.logout import farewell
from idp.web.receipts import preview
from idp.web.strict import settle
from idp.web.wire import now, provider

blueprint = Blueprint("sessions", __name__)

WHY = Because("signed_out", "person")


@dataclass(frozen=True, slots=True)
class Row:
    """A browser, and the apps in it."""

    session: Session
    apps: list[Participation]


@dataclass(frozen=True, slots=True)
class Key:
    """A key on somebody's device, and what it opens."""

    jkt: str
    apps: list[str]
    used: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """A sign-out of more than one browser: what it means, and what it would end now."""

    what: str
    button: str
    means: str
    summary: str
    preview: list[str]


@blueprint.get("/account/sessions")
@personal("sessions")
def sessions(here: Here) -> AnyResponse:
    """Each browser, with the apps in it."""
    op, account = provider(), here.account
    rows = op.sessions.of_account(account.id, now())
    offline: dict[str, datetime] = {}
    lines = op.grants.lines_of_account(account.id)  # the newest use first
    for line in lines:
        if line.offline:
            offline.setdefault(line.client_name, line.last_used_at)
    return show(
        here,
        "sessions.html",
        rows=[Row(row, op.sessions.participations(row.id)) for row in rows],
        offline=offline,
        keys=_keys(lines),
        ways=_ways(here),
    )


@blueprint.post("/account/sessions/end")
@personal("sessions")
def end(here: Here) -> AnyResponse:
    """End one app, one browser, one key, everything, or everything elsewhere."""
    what = request.form.get("what", "")
    target = request.form.get("session", "")
    receipt = _carry_out(here, what, target)
    settle(receipt)
    if what == "everywhere" or (what == "browser" and target == here.session.id):
        return farewell(receipt)
    return redirect(f"/receipts/{receipt.id}" if receipt else "/account/sessions?done=nothing", 303)


def _carry_out(here: Here, what: str, target: str) -> Receipt | None:
    outs, account = provider().sign_outs, here.account
    if what == "app":
        return outs.app(account.id, target, request.form.get("client", ""), WHY, now())
    if what == "browser":
        seen = target == here.session.id
        return outs.browser(account.id, target, WHY, now(), seen=seen)
    if what == "device":
        return outs.device(account.id, request.form.get("jkt", ""), WHY, now())
    if what == "elsewhere":
        return outs.everywhere(account.id, WHY, now(), but=here.session.id)
    if what != "everywhere":
        abort(400)
    return outs.everywhere(account.id, WHY, now(), seen_in=here.session.id)


def _keys(lines: Iterable[Line]) -> list[Key]:
    """The keys that lines are bound to (RFC 9449 section 5), the newest use first."""
    found: dict[str, Key] = {}
    for line in lines:
        if line.jkt is not None:
            key = found.setdefault(line.jkt, Key(line.jkt, [], line.last_used_at))
            if line.client_name not in key.apps:
                key.apps.append(line.client_name)
    return list(found.values())


def _ways(here: Here) -> list[Way]:
    return [
        _way(
            here,
            ELSEWHERE,
            gettext("Sign out everywhere but here"),
            gettext("Ends all other sign-ins, and every access they gave, offline access too."),
        ),
        _way(
            here,
            EVERYWHERE,
            gettext("Sign out everywhere"),
            gettext(
                "Ends every sign-in, this one too, every app, and every offline access. You "
                "will have to sign in again."
            ),
        ),
    ]


def _way(here: Here, kind: str, button: str, means: str) -> Way:
    spared = here.session.id if kind == ELSEWHERE else None
    scope = scope_of(here.account.id, Filters(but=spared))
    seen_in = here.session.id if spared is None else None
    said = preview(provider().sign_outs.preview(scope, now(), seen_in=seen_in))
    count = len(said)
    summary = ngettext("See the %(num)d thing that ends", "See the %(num)d things that end", count)
    if not said:
        summary, said = gettext("See what ends"), [gettext("There is nothing to end.")]
    return Way(kind, button, means, summary, said)
