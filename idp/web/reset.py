"""The page behind a link with which somebody chooses a new password."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import password_reset
from idp.domain.accounts import LONGEST_PASSWORD, WeakPassword
from idp.domain.password_reset import LinkIsOver
from idp.web.account.security import weak
from idp.web.language import gettext
from idp.web.pages import error_page, render
from idp.web.strict import settle
from idp.web.wire import now, provider

blueprint = Blueprint("reset", __name__)


@blueprint.get("/reset")
def reset() -> AnyResponse:
    """Whose link it is, and a field for the new password."""
    return _page(request.args.get("code", ""))


@blueprint.post("/reset")
def choose() -> AnyResponse:
    """Set the password and end everything; the person signs in with it as with any other."""
    op, secret = provider(), request.form.get("code", "")
    password = request.form.get("new_password", "")[: LONGEST_PASSWORD + 1]
    try:
        account, receipt = password_reset.use(op, secret, password, now())
    except WeakPassword as error:
        return _page(secret, problem=weak(error.reason))
    except LinkIsOver:
        return _over()
    op.events.record(
        "PasswordReset",
        now(),
        account_id=account.id,
        address=request.remote_addr or "",
        receipt=receipt.id if receipt is not None else None,
    )
    settle(receipt)
    return redirect("/sign-in", 303)


def _page(secret: str, problem: str | None = None) -> AnyResponse:
    try:
        account = password_reset.owner(provider(), secret, now())
    except LinkIsOver:
        return _over()
    return render(
        "interaction/reset.html",
        400 if problem else 200,
        account=account,
        secret=secret,
        problem=problem,
    )


def _over() -> AnyResponse:
    return error_page(
        gettext("This link is over"),
        gettext("It works once, and for a quarter of an hour. Ask for another one."),
        back="/sign-in",
        back_to=gettext("Sign in"),
    )
