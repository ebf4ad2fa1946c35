"""Signing out: ask where it is not sure who asks, end, and say what became of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, current_app, redirect, request
from itsdangerous import BadSignature, Signer
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import Provider
from idp.domain.codes import LOGOUT
from idp.domain.reach import Filters, scope_of
from idp.domain.receipts import SURVIVES
from idp.domain.sessions import Session
from idp.domain.sign_out import Because, Receipt
from idp.protocol.errors import ProtocolError
from idp.protocol.frontchannel_logout import Frame, frames
from idp.protocol.logout import LogoutDraft, examine
from idp.protocol.messages import OAuthRequest, Parameters
from idp.web import browser
from idp.web.browser import (
    allow_form_action,
    allow_frame,
    binding,
    clear_session,
    current_session,
)
from idp.web.check_session import keep_state
from idp.web.pages import render
from idp.web.receipts import as_file, shown
from idp.web.strict import settle
from idp.web.wire import commit, log, now, provider, read_request, reference

blueprint = Blueprint("logout", __name__)

ASKED = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
APPS = ("app", "frontchannel")
LONGEST_QUERY = 6000
FAREWELL = "idp_farewell"
FAREWELL_LIVES = timedelta(minutes=10)
NOBODY = LogoutDraft()


@blueprint.route("/end_session", methods=["GET", "POST"])
def end_session() -> AnyResponse:
    """A client sends a browser here to sign out (RP-Initiated Logout 1.0 section 2)."""
    op = provider()
    if not _is_visit():
        abort(403)
    if _came_without_cookies(op):
        query = urlencode([(n, v) for n, v in request.form.items(multi=True) if n in ASKED])
        if len(query) <= LONGEST_QUERY:
            return redirect(f"/end_session?{query}", 303)
    session = current_session(op, now())
    try:
        asked = read_request()
        draft = examine(asked, op)
    except ProtocolError as error:
        return _refuse(op, error, session)
    if session is None or draft.concerns(session):
        return _end(op, draft, session)
    return _ask(op, draft, session, asked)


@blueprint.post("/end_session/confirm")
def confirmed() -> AnyResponse:
    """The person said yes on our page. What the app wanted was kept here meanwhile; if that is
    gone, the yes still counts, and only the way back to the app is lost.
    """
    op = provider()
    parked = op.codes.look(LOGOUT, request.form.get("tx", ""), now())
    asked: Mapping[str, str] = {}
    if parked is not None and parked.details["browser"] == binding():
        asked = parked.details["asked"]
    try:
        draft = examine(_as_request(asked), op)
    except ProtocolError:
        draft = NOBODY
    return _end(op, draft, current_session(op, now()))


@blueprint.get("/signed-out")
def signed_out() -> Response:
    """The last page: what ended. For a while this browser can look again, and nobody else."""
    return _last_page(_own_farewell())


@blueprint.get("/signed-out/proof")
def signed_out_proof() -> Response:
    """The same receipt, signed by us, for this browser and as long."""
    receipt = _own_farewell()
    if receipt is None:
        abort(404)
    return as_file(receipt)


def farewell(*receipts: Receipt | None, draft: LogoutDraft = NOBODY) -> AnyResponse:
    """Take the cookie back; then the last page, or where the app wants its person. Apps that
    the browser asks are asked from here, and only from here (Front-Channel Logout 1.0).
    """
    written = [receipt for receipt in receipts if receipt is not None]
    receipt = written[0] if written else None
    asked = frames(provider(), written)
    response = _on_the_way(draft, asked) if draft.location else _last_page(receipt, asked)
    response.headers["Cache-Control"] = "no-store"
    clear_session(response)
    keep_state(None)
    if receipt is not None:
        response.set_cookie(
            FAREWELL,
            _signer().sign(receipt.id).decode(),
            max_age=int(FAREWELL_LIVES.total_seconds()),
            secure=provider().rules.issuer.startswith("https://"),
            httponly=True,
            samesite="Lax",
        )
    return response


def _last_page(receipt: Receipt | None, asked: Sequence[Frame] = ()) -> Response:
    told = shown(receipt) if receipt is not None else None
    _let_in(asked)
    return render("logout/signed_out.html", receipt=receipt, told=told, frames=asked)


def _on_the_way(draft: LogoutDraft, asked: Sequence[Frame]) -> AnyResponse:
    """Back to the app: at once, or by a page that asks others first and does not wait long."""
    if not asked:
        return redirect(str(draft.location), 303)
    _let_in(asked)
    apps = sorted({frame.name for frame in asked})
    return render("logout/on_the_way.html", draft=draft, frames=asked, apps=apps)


def _let_in(asked: Sequence[Frame]) -> None:
    for frame in asked:
        allow_frame(frame.origin)


def _is_visit() -> bool:
    """Whether the browser comes to see the page. An image, a script or a browser that looks
    ahead must not sign anybody out (LGO-06); what is no browser says nothing of this.
    """
    visit = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return visit and "prefetch" not in request.headers.get("Sec-Purpose", "")


def _came_without_cookies(op: Provider) -> bool:
    """A form of another site brings no cookies (SameSite=Lax); a redirect to ourselves does."""
    return request.method == "POST" and browser.session_cookie_name(op) not in request.cookies


def _ask(op: Provider, draft: LogoutDraft, session: Session, asked: OAuthRequest) -> Response:
    """Nothing ends without a yes when we cannot be sure who asks (LGO-01)."""
    if draft.location is not None:
        allow_form_action(_origin(draft.location))
    parameters = asked.parameters
    kept = {name: value for name in ASKED if (value := parameters.get(name)) is not None}
    details = {"asked": kept, "browser": binding()}
    handle = op.codes.issue(LOGOUT, details, op.rules.interaction_lifetime, now())
    commit()
    return _confirm(op, session, tx=handle, client=draft.client)


def _refuse(op: Provider, error: ProtocolError, session: Session | None) -> AnyResponse:
    """A refusal is never a redirect; but whoever is signed in can still sign out (LGO-04)."""
    said = f"{error.error}: {error.description}"
    log.info("sign-out refused", reference=reference(), error=error.error, reason=error.reason)
    if session is None:
        return render("logout/refused.html", 400, error=said, reference=reference())
    return _confirm(op, session, status=400, error=said, reference=reference())


def _confirm(op: Provider, session: Session, status: int = 200, **more: object) -> Response:
    scope = scope_of(session.account_id, Filters(session_id=session.id))
    concerns = op.sign_outs.preview(scope, now(), seen_in=session.id)
    return render(
        "logout/confirm.html",
        status,
        account=op.accounts.find(session.account_id),
        apps=list(dict.fromkeys(c.name for c in concerns if c.kind in APPS)),
        survivors=sorted({c.name for c in concerns if c.state == SURVIVES}),
        **more,
    )


def _end(op: Provider, draft: LogoutDraft, session: Session | None) -> AnyResponse:
    """End this browser's session, and the one the hint names if its cookie was lost."""
    by = f"client:{draft.client.client_id}" if draft.client is not None else "person"
    why = Because("signed_out", by)
    here: Receipt | None = None
    if session is not None:
        here = op.sign_outs.browser(session.account_id, session.id, why, now(), seen=True)
    lost: Receipt | None = None
    hinted = draft.participation
    if hinted is not None and (session is None or session.account_id == hinted.account_id):
        lost = op.sign_outs.browser(hinted.account_id, hinted.session_id, why, now(), seen=True)
    settle(here, lost)
    return farewell(here, lost, draft=draft)


def _as_request(asked: Mapping[str, str]) -> OAuthRequest:
    """What the app asked before the person was asked, as if it were asked now."""
    return OAuthRequest(
        method="GET",
        url=f"{provider().rules.issuer}/end_session",
        now=now(),
        query=Parameters(pairs=tuple(asked.items())),
    )


def _own_farewell() -> Receipt | None:
    try:
        receipt_id = _signer().unsign(request.cookies.get(FAREWELL, "")).decode()
    except BadSignature:
        return None
    row = provider().sign_outs.receipts.find(receipt_id)
    return row if row is not None and now() - row.at <= FAREWELL_LIVES else None


def _signer() -> Signer:
    return Signer(str(current_app.config["SECRET_KEY"]), salt="farewell")


def _origin(location: str) -> str:
    parts = urlsplit(location)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"
