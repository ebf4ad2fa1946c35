"""The frame that clients ask whether the session is still the same, and the state it reads.

The state is a cookie that scripts of ours can read in a frame of another site. It is made from
the session's id and tells nothing of it; while nobody is signed in there is none (OpenID
Connect Session Management 1.0 section 3.2).
"""

import hashlib
import hmac
from dataclasses import replace

from flask import Blueprint, Response, current_app, g, render_template, request

from idp.domain.sessions import Session
from idp.protocol.authorize.draft import Draft
from idp.protocol.session_management import session_state
from idp.web.browser import allow_embedding
from idp.web.wire import provider

blueprint = Blueprint("check_session", __name__)


@blueprint.get("/check_session")
def page() -> str:
    """The frame: the one page of ours that others may embed. It asks nobody, and judges by
    what the browser has (SES-CHK-01).
    """
    allow_embedding()
    return render_template("check_session.html", cookie=_name())


def keep_state(session: Session | None) -> str:
    """From now on the browser's state is that of this session, or of none."""
    g.browser_state = _state_of(session) if session is not None else ""
    return str(g.browser_state)


def stated(draft: Draft, session: Session | None) -> Draft:
    """The draft with what its answer says of the session (section 2)."""
    state = keep_state(session)
    said = session_state(draft.client.client_id, draft.redirect_uri, state)
    return replace(draft, session_state=said if "openid" in draft.scopes else None)


@blueprint.after_app_request
def _write(response: Response) -> Response:
    state = g.get("browser_state")
    if state is None or state == request.cookies.get(_name(), ""):
        return response
    secure = _secure()
    same_site = "None" if secure else "Lax"
    if state:
        response.set_cookie(_name(), state, path="/", secure=secure, samesite=same_site)
    else:
        response.delete_cookie(_name(), path="/", secure=secure, samesite=same_site)
    return response


def _state_of(session: Session) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, b"state:" + session.id.encode(), hashlib.sha256).hexdigest()


def _name() -> str:
    return "__Host-idp_state" if _secure() else "idp_state"


def _secure() -> bool:
    return provider().rules.issuer.startswith("https://")
