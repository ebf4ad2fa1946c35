"""The person's browser: its cookies, the proof that a form is ours, and the headers that keep
pages to themselves.
"""

import hashlib
import hmac
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Request, abort, current_app, g, request
from flask import Response as AnyResponse
from flask.sessions import NullSession, SessionInterface, SessionMixin
from werkzeug.wrappers import Response

from idp.crypto.secrets import new_handle, same
from idp.domain import Provider
from idp.domain.sessions import Session
from idp.web.wire import provider

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
UNPROTECTED = {"/authorize", "/end_session"}
YEAR = 365 * 24 * 3600
TEN_YEARS = 10 * YEAR
ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
STRICT = f"max-age={YEAR}; includeSubDomains"


def session_cookie_name(op: Provider) -> str:
    """With https the browser itself keeps the cookie to this host (`__Host-`)."""
    return "__Host-idp_session" if _secure(op) else "idp_session"


def current_session(op: Provider, now: datetime) -> Session | None:
    """The session of this browser, if it is alive."""
    return op.sessions.find(request.cookies.get(session_cookie_name(op)), now)


def set_session(response: Response, handle: str) -> None:
    """Give the browser its cookie; a new one with every sign-in (SES-02)."""
    op = provider()
    response.set_cookie(session_cookie_name(op), handle, **_attributes(op))  # type: ignore[arg-type]


def clear_session(response: Response) -> None:
    """Take the cookie back."""
    op = provider()
    response.delete_cookie(
        session_cookie_name(op), path="/", secure=_secure(op), httponly=True, samesite="Lax"
    )


def binding() -> str:
    """What is particular to this browser, also before anybody signs in. Transactions and forms
    are bound to it, so that nobody else's browser can go on with them (RED-18).
    """
    if "browser" not in g:
        given = request.cookies.get(_binding_name(provider()), "")
        g.browser_is_new = not given.startswith("br_") or len(given) > 100  # noqa: PLR2004
        g.browser = new_handle("br_") if g.browser_is_new else given
    return hashlib.sha256(str(g.browser).encode()).hexdigest()


def csrf_token() -> str:
    """The proof that a form was made for this browser by us."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, b"csrf:" + binding().encode(), hashlib.sha256).hexdigest()


def known_device(account_id: str) -> bool:
    """Whether this browser has signed in as this person before (PWD-08)."""
    given = request.cookies.get("idp_device", "")
    return same(given, _device_mark(account_id))


def remember_device(response: Response, account_id: str) -> None:
    """Mark the browser as one of this person's."""
    attributes = _attributes(provider()) | {"max_age": YEAR}
    response.set_cookie("idp_device", _device_mark(account_id), **attributes)  # type: ignore[arg-type]


def allow_form_action(origin: str) -> None:
    """Chromium holds redirects after a form to `form-action`: name where this one leads."""
    g.setdefault("form_actions", set()).add(origin)


def allow_frame(origin: str) -> None:
    """The page at hand may hold a frame of this origin, and of no other that is not named."""
    g.setdefault("frames", set()).add(origin)


def allow_embedding() -> None:
    """Pages of others may hold the page at hand in a frame; it is the same for everybody."""
    g.embeddable = True


class NoSession(SessionInterface):
    """Nothing is kept in a cookie of Flask's: who is signed in is a row of ours."""

    def open_session(self, app: Flask, request: Request) -> NullSession:
        return self.make_null_session(app)

    def save_session(self, app: Flask, session: SessionMixin, response: AnyResponse) -> None:
        """There is nothing to save."""


def harden(app: Flask) -> None:
    """Check every form, and put the headers on every answer."""
    app.session_interface = NoSession()
    app.before_request(_refuse_foreign_forms)
    app.after_request(_headers)


def _refuse_foreign_forms() -> None:
    """Nothing changes by a form that is not ours (CSR-01). Protocol endpoints authenticate the
    client instead, and /authorize and /end_session are meant to be posted to from elsewhere.
    """
    if request.method in SAFE_METHODS or request.path in UNPROTECTED:
        return
    if request.blueprint == "protocol" or request.blueprint is None:
        return
    given = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token") or ""
    foreign = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if foreign or (origin not in (None, "null") and origin != own_origin(provider())):
        abort(403)
    if not same(given, csrf_token()):
        abort(403)


def own_origin(op: Provider) -> str:
    """The origin of this provider, from its configuration and never from the request."""
    parts = urlsplit(op.rules.issuer)
    return f"{parts.scheme}://{parts.netloc}"


def always(op: Provider) -> tuple[tuple[str, str], ...]:
    """What every answer carries, to browsers and to machines."""
    return (*ALWAYS, ("Strict-Transport-Security", STRICT)) if _secure(op) else ALWAYS


def _headers(response: Response) -> Response:
    op = provider()
    if g.get("browser_is_new"):
        attributes = _attributes(op) | {"max_age": TEN_YEARS // 10}
        response.set_cookie(_binding_name(op), g.browser, **attributes)  # type: ignore[arg-type]
    headers = response.headers
    headers.extend(always(op))
    if request.blueprint == "protocol":
        return response
    embeddable = "embeddable" in g
    ancestors = "*" if embeddable else "'none'"
    targets = " ".join(["'self'", *sorted(g.get("form_actions", ()))])
    headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; "
        f"frame-ancestors {ancestors}; form-action {targets}"
    )
    if "frames" in g:
        headers["Content-Security-Policy"] += f"; frame-src {' '.join(sorted(g.frames))}"
    if not embeddable:
        headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if embeddable:
        headers["Cache-Control"] = "public, max-age=300"
    elif request.endpoint != "static" or response.status_code >= HTTPStatus.BAD_REQUEST:
        headers["Cache-Control"] = "no-store"
    return response


def _attributes(op: Provider) -> dict[str, object]:
    return {"path": "/", "secure": _secure(op), "httponly": True, "samesite": "Lax"}


def _binding_name(op: Provider) -> str:
    return "__Host-idp_browser" if _secure(op) else "idp_browser"


def _device_mark(account_id: str) -> str:
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, b"device:" + account_id.encode(), hashlib.sha256).hexdigest()


def _secure(op: Provider) -> bool:
    return op.rules.issuer.startswith("https://")
