"""/device: a person types the code that a device shows, sees what asks, and says yes or no
(RFC 8628 section 3.3). Nothing happens by following a link: whoever is led here by a stranger
must still compare the code, and say yes to what they see (RFC 10027).
"""

import math
from collections.abc import Mapping

from flask import Blueprint, Response, abort, redirect, request
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import user_code
from idp.domain.approvals import ALLOWED, DEVICE, WAITING, Approval
from idp.domain.throttle import Throttled, network
from idp.web.account.access import Here, personal, signed_in
from idp.web.asking import carry_out, mark, question
from idp.web.language import gettext
from idp.web.pages import render
from idp.web.wire import commit, now, provider

blueprint = Blueprint("device", __name__)

COOKIE = "idp_user_code"
KEPT_SECONDS = 900
MINUTE = 60
SIGN_IN = "/sign-in?for=device"


@blueprint.get("/device")
def enter() -> AnyResponse:
    """Where the code is typed. One that came with the address is kept through the sign-in, and
    is only filled in.
    """
    code = user_code.read(request.args.get("user_code") or request.cookies.get(COOKIE, ""))
    here = signed_in()
    if here is not None:
        return _code_page(here, code)
    return _keeping(code or "", redirect(SIGN_IN, 303))


@blueprint.post("/device")
@personal("device")
def look_up(here: Here) -> AnyResponse:
    """A code was typed. Guesses are counted by session, by address and over all (DEV-01)."""
    typed = request.form.get("user_code", "")
    try:
        _count(here)
    except Throttled as error:
        return _wait(here, error)
    row = provider().codes.approvals.typed(typed, now())
    if row is None:
        problem = gettext("No device waits with this code. Look again; codes are good for minutes.")
        return _code_page(here, None, typed=typed, problem=problem, status=400)
    code = user_code.read(typed) or ""
    return _keeping(code, redirect(f"/device/confirm?request={row.id}", 303))


@blueprint.get("/device/confirm")
@personal("device")
def confirm(here: Here) -> AnyResponse:
    """Which app asks, from where and since when, and what it would get; or what became of it."""
    return _state_page(_request(request.args), here)


@blueprint.post("/device/confirm")
@personal("device")
def decide(here: Here) -> AnyResponse:
    """Yes or no. It counts for this browser, this request and this person only (DEV-03)."""
    row = _request(request.form)
    said = request.form.get("answer")
    asked = question(row, here)
    if asked is None or said not in ("allow", "deny"):
        return _state_page(row, here, status=400)
    if request.form.get("about") != mark(row, here):
        return _state_page(row, here, changed=True)
    if said == "allow" and asked.outdated:
        return redirect(SIGN_IN, 303)
    carry_out(row, here, said)
    commit()
    response = redirect(f"/device/confirm?request={row.id}", 303)
    response.delete_cookie(COOKIE)
    return response


def _keeping(code: str, response: AnyResponse) -> AnyResponse:
    """Have the browser bring the code along when it comes back from signing in."""
    if code:
        secure = provider().rules.issuer.startswith("https://")
        response.set_cookie(
            COOKIE, code, max_age=KEPT_SECONDS, secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _request(said: Mapping[str, str]) -> Approval:
    """A device's request by its public name, which only who typed its code has learned."""
    row = provider().codes.approvals.get(said.get("request", ""))
    if row is None or row.kind != DEVICE:
        abort(404)
    return row


def _state_page(
    row: Approval, here: Here, *, changed: bool = False, status: int = 200
) -> AnyResponse:
    asked = question(row, here)
    own = row.account_id == here.account.id
    if asked is None or (row.state != WAITING and not own) or _late(row):
        return render("device/over.html", 400)
    if row.state != WAITING:
        allowed = row.state == ALLOWED
        return render("device/answered.html", status, asked=asked, allowed=allowed)
    if asked.outdated:
        return redirect(SIGN_IN, 303)
    return render("device/confirm.html", status, asked=asked, account=here.account, changed=changed)


def _late(row: Approval) -> bool:
    return row.state == WAITING and row.expires_at <= now()


def _code_page(
    here: Here,
    code: str | None,
    *,
    typed: str = "",
    problem: str | None = None,
    status: int = 200,
) -> Response:
    return render(
        "device/code.html",
        status,
        account=here.account,
        code=user_code.shown(code) if code else typed[: user_code.LONGEST_TYPED],
        came_along=code is not None,
        problem=problem,
    )


def _count(here: Here) -> None:
    """Before the try, so that guesses made at once are all counted."""
    throttle = provider().throttle
    throttle.count("user_code", here.session.id, now())
    throttle.count("user_codes_of_address", network(request.remote_addr or ""), now())
    throttle.count("user_codes", "all", now())


def _wait(here: Here, error: Throttled) -> Response:
    seconds = max(1, math.ceil(error.retry_after.total_seconds()))
    problem = ngettext(
        "Too many codes. Wait %(num)d minute.",
        "Too many codes. Wait %(num)d minutes.",
        math.ceil(seconds / MINUTE),
    )
    response = _code_page(here, None, problem=problem, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response
