"""Signing out: confirm, and say what became of it."""

from flask import Blueprint, Response, redirect
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import Provider
from idp.domain.reach import BROWSER, Scope
from idp.domain.sessions import Session
from idp.domain.sign_out import Because, Receipt
from idp.protocol.errors import ProtocolError
from idp.protocol.logout import LogoutDraft, examine
from idp.web.browser import allow_form_action, clear_session, current_session
from idp.web.pages import error_page, render
from idp.web.wire import commit, now, provider, read_request

blueprint = Blueprint("logout", __name__)

CARRIED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


@blueprint.route("/end_session", methods=["GET", "POST"])
def end_session() -> AnyResponse:
    """A client sends a browser here to sign out (RP-Initiated Logout 1.0 section 2)."""
    op = provider()
    try:
        draft = examine(read_request(), op)
    except ProtocolError as error:
        return _sign_out_error(error)
    session = current_session(op, now())
    if draft.concerns(session):
        return _end(op, draft, session)
    if session is not None:
        return _ask(op, draft, session)
    return _end(op, draft, None)


@blueprint.post("/end_session/confirm")
def confirmed() -> AnyResponse:
    """The person said yes on our page."""
    op = provider()
    try:
        draft = examine(read_request(), op)
    except ProtocolError as error:
        return _sign_out_error(error)
    return _end(op, draft, current_session(op, now()))


def _ask(op: Provider, draft: LogoutDraft, session: Session) -> Response:
    """Nothing ends without a yes when we cannot be sure who asks (LGO-01)."""
    if draft.location is not None:
        allow_form_action(_origin(draft.location))
    scope = Scope(kind=BROWSER, account_id=session.account_id, session_id=session.id)
    parameters = read_request().parameters
    return render(
        "sign_out.html",
        client=draft.client,
        concerns=op.sign_outs.preview(scope, now()),
        carried={name: parameters.get(name) for name in CARRIED if parameters.get(name)},
    )


def _end(op: Provider, draft: LogoutDraft, session: Session | None) -> AnyResponse:
    """End this browser's session, and the one the hint names if the cookie is lost."""
    by = f"client:{draft.client.client_id}" if draft.client is not None else "person"
    why = Because("signed_out", by)
    receipt: Receipt | None = None
    if session is not None:
        receipt = op.sign_outs.browser(session.account_id, session.id, why, now())
    elif draft.participation is not None:
        hinted = draft.participation
        receipt = op.sign_outs.browser(hinted.account_id, hinted.session_id, why, now())
    commit()
    if draft.location is not None:
        response: AnyResponse = redirect(draft.location, 303)
    else:
        lines = op.sign_outs.receipts.lines(receipt.id) if receipt is not None else []
        response = render("signed_out.html", receipt=receipt, lines=lines, client=draft.client)
    clear_session(response)
    return response


def _sign_out_error(error: ProtocolError) -> Response:
    return error_page(
        gettext("Sign-out error"),
        gettext(
            "The app that sent you here made a request that cannot be answered. You are still "
            "signed in; you can sign out on your account page."
        ),
        error=f"{error.error}: {error.description}",
        back="/account/sessions",
    )


def _origin(location: str) -> str:
    scheme, _, rest = location.partition("://")
    return f"{scheme}://{rest.split('/', 1)[0].split('?', 1)[0]}"
