"""/authorize and its return leg, between the rules, the pages and the cookie."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import Provider
from idp.domain.codes import INTERACTION, AlreadySpent, Gone
from idp.domain.sessions import Session
from idp.protocol.authorize import Returned, examine, respond
from idp.protocol.authorize.draft import Draft
from idp.protocol.authorize.issue import Judged, issue, judge
from idp.protocol.authorize.pushed import answer_once
from idp.protocol.errors import AccessDenied, ProtocolError
from idp.protocol.interaction import Done, Step, next_step, unmet, without_person
from idp.web.browser import allow_form_action, binding, current_session
from idp.web.check_session import stated
from idp.web.pages import error_page, render, speak
from idp.web.stale import stale_page
from idp.web.wire import commit, now, provider, read_request

blueprint = Blueprint("authorize", __name__)

REMEMBERED = timedelta(days=1)
PAGES = {Step.SIGN_IN: "/sign-in", Step.CODE: "/sign-in/code", Step.CONSENT: "/consent"}


@dataclass(frozen=True, slots=True)
class Transaction:
    """A parked request: what is asked for, since when, and what the person has done so far."""

    handle: str
    draft: Draft
    done: Done
    denied: bool
    details: dict[str, Any]


@blueprint.route("/authorize", methods=["GET", "POST"])
def authorize() -> AnyResponse:
    """A client sends a browser (OpenID Connect Core section 3.1.2.1)."""
    op = provider()
    try:
        draft = examine(read_request(), op)
    except Returned as returned:
        return _send_back(returned.draft, returned.error, op)
    except ProtocolError as error:
        return error_page(
            gettext("Sign-in error"),
            gettext(
                "The app that sent you here made a request that cannot be answered. "
                "Nothing was signed in. Go back to the app and try again."
            ),
            error=f"{error.error}: {error.description}",
        )
    speak(draft.ui_locales)
    session = current_session(op, now())
    done = Done(since=now())
    if "none" in draft.prompt:
        return _silently(draft, session, done, op)
    details = {
        "draft": draft.parked(),
        "browser": binding(),
        "since": now().timestamp(),
        "consented": None,
        "denied": False,
        "chosen": None,
        "stronger": False,
    }
    grant = op.grants.find(session.account_id, draft.client.client_id) if session else None
    step = next_step(draft, session, grant, done, op, now())
    if session is not None and step is Step.NOTHING:
        return _give(draft, session, op)
    handle = op.codes.issue(INTERACTION, details, op.rules.interaction_lifetime, now())
    commit()
    return redirect(_page(step, handle, draft), 303)


@blueprint.get("/authorize/continue")
def go_on() -> AnyResponse:
    """The person has done a step; what is next, or the way back."""
    op = provider()
    transaction = find_transaction(request.args.get("tx", ""))
    if transaction is None:
        return stale_page()
    draft = transaction.draft
    if transaction.denied:
        _finish(op, transaction)
        return _send_back(draft, AccessDenied("the person said no"), op)
    session = current_session(op, now())
    if session is not None:
        error = unmet(draft, session, transaction.done)
        if error is not None:
            _finish(op, transaction)
            return _send_back(draft, error, op)
    grant = op.grants.find(session.account_id, draft.client.client_id) if session else None
    step = next_step(draft, session, grant, transaction.done, op, now())
    if session is None or step is not Step.NOTHING:
        return redirect(_page(step, transaction.handle, draft), 303)
    return _give(draft, session, op, transaction)


def find_transaction(handle: str) -> Transaction | None:
    """A transaction of this very browser that is not over; a stranger's is none (RED-18)."""
    op = provider()
    row = op.codes.look(INTERACTION, handle, now())
    if row is None or row.spent_at is not None or row.details["browser"] != binding():
        return None
    client = op.clients.find(row.details["draft"]["client_id"])
    if client is None or not client.enabled:
        return None
    draft = Draft.resumed(row.details["draft"], client)
    session = current_session(op, now())
    person = session.account_id if session is not None else ""
    done = Done(
        since=datetime.fromtimestamp(row.details["since"], now().tzinfo),
        consented=row.details["consented"] == person,
        chosen=row.details["chosen"] == person,
        tried_stronger=row.details["stronger"],
    )
    speak(draft.ui_locales)
    allow_form_action(respond.origin(draft.redirect_uri))
    return Transaction(handle, draft, done, row.details["denied"], row.details)


def remember(transaction: Transaction, **steps: object) -> None:
    """Write down what the person has done in this transaction."""
    provider().codes.replace(INTERACTION, transaction.handle, {**transaction.details, **steps})


def _silently(draft: Draft, session: Session | None, done: Done, op: Provider) -> AnyResponse:
    grant = op.grants.find(session.account_id, draft.client.client_id) if session else None
    error = without_person(draft, session, grant, done, op, now())
    if error is not None or session is None:
        return _send_back(draft, error or AccessDenied(""), op)
    return _give(draft, session, op)


def _give(
    draft: Draft, session: Session, op: Provider, transaction: Transaction | None = None
) -> AnyResponse:
    """Look whether anything stands against it, end the transaction if there was one, and give."""
    try:
        judged = judge(draft, op, now())
    except ProtocolError as error:
        if transaction is not None:
            _finish(op, transaction)
        return _send_back(draft, error, op)
    if transaction is not None and not _finish(op, transaction):
        return stale_page()
    if not answer_once(draft, op, now()):
        return stale_page()
    return _issue(judged, session, op)


def _issue(judged: Judged, session: Session, op: Provider) -> AnyResponse:
    """What was asked for, on its way to the client."""
    draft = judged.draft
    try:
        given = issue(judged, session, op, now())
        reply = respond.success(stated(draft, session), given, op, now())
    except ProtocolError as error:
        return _refused(draft, error, op)
    _note_a_worn_challenge(draft, op)
    commit()
    return _reply(reply)


def _note_a_worn_challenge(draft: Draft, op: Provider) -> None:
    """A challenge is for one transaction. A client that brings the same one again protects
    nobody, and its operator should hear of it, once a day (RFC 9700 section 2.1.1).
    """
    client_id, until = draft.client.client_id, now() + REMEMBERED
    if draft.code_challenge is None:
        return
    if op.tokens.seen_once("challenge", f"{client_id} {draft.code_challenge}", until, now()):
        return
    if op.tokens.seen_once("worn challenge", client_id, until, now()):
        op.events.record("ChallengeRepeated", now(), client_id=client_id)


def _send_back(draft: Draft, error: ProtocolError, op: Provider) -> AnyResponse:
    """A refusal goes to the client, and is the one answer to a request that was pushed."""
    return _refused(draft, error, op) if answer_once(draft, op, now()) else stale_page()


def _refused(draft: Draft, error: ProtocolError, op: Provider) -> AnyResponse:
    """From a client that registered itself, and with nobody signed in, it goes back only when the
    person clicks (RFC 9700 section 4.11.2).
    """
    draft = stated(draft, current_session(op, now()))
    reply = respond.refusal(draft, error, op, now())
    commit()
    unasked = draft.client.dynamic and "none" not in draft.prompt and error.error != "access_denied"
    if unasked and current_session(op, now()) is None:
        allow_form_action(reply.origin)
        return render(
            "bounce.html",
            400,
            client=draft.client,
            error=error.error,
            description=error.description,
            reply=reply,
        )
    return _reply(reply)


def _reply(reply: respond.Reply) -> AnyResponse:
    if reply.mode == "form_post":
        allow_form_action(reply.origin)
        return render("form_post.html", reply=reply)
    response = redirect(reply.location, 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _finish(op: Provider, transaction: Transaction) -> bool:
    """A transaction ends once; whoever comes second starts over."""
    try:
        op.codes.spend(INTERACTION, transaction.handle, now())
    except (AlreadySpent, Gone):
        return False
    return True


def _page(step: Step, handle: str, draft: Draft) -> str:
    """The page of a step. The client is named, so that the page finds a way back to it even when
    the transaction is over.
    """
    return f"{PAGES[step]}?{urlencode({'tx': handle, 'client_id': draft.client.client_id})}"
