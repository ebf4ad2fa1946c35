"""Where I am signed in, and the receipts of what was ended."""

from flask import abort, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.sign_out import Because
from idp.web.account import blueprint
from idp.web.account.access import signed_in, to_sign_in
from idp.web.browser import clear_session
from idp.web.pages import render
from idp.web.wire import commit, now, provider

WHY = Because("signed_out", "person")


@blueprint.get("/account/sessions")
def sessions() -> AnyResponse:
    """Each browser, with the apps in it."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    session, account = here
    op = provider()
    commit()
    rows = op.sessions.of_account(account.id, now())
    offline = [line for line in op.grants.lines_of_account(account.id) if line.offline]
    return render(
        "account/sessions.html",
        current=session,
        rows=[(row, op.sessions.participations(row.id)) for row in rows],
        offline=offline,
    )


@blueprint.post("/account/sessions/end")
def end() -> AnyResponse:
    """End one app, one browser, everything, or everything elsewhere."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    session, account = here
    outs = provider().sign_outs
    what = request.form.get("what")
    target = request.form.get("session", "")
    client = request.form.get("client", "")
    if what == "app":
        receipt = outs.app(account.id, target, client, WHY, now())
    elif what == "browser":
        receipt = outs.browser(account.id, target, WHY, now())
    elif what == "elsewhere":
        receipt = outs.everywhere(account.id, WHY, now(), but=session.id)
    elif what == "everywhere":
        receipt = outs.everywhere(account.id, WHY, now())
    else:
        abort(400)
    commit()
    if what == "everywhere" or (what == "browser" and target == session.id):
        lines = outs.receipts.lines(receipt.id) if receipt is not None else []
        gone = render("signed_out.html", receipt=receipt, lines=lines, client=None)
        clear_session(gone)
        return gone
    return redirect(f"/receipts/{receipt.id}" if receipt else "/account/sessions", 303)


@blueprint.get("/account/receipts")
def receipts() -> AnyResponse:
    """Every sign-out, the newest first."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    rows = provider().sign_outs.receipts.of_account(here[1].id)
    commit()
    return render("account/receipts.html", rows=rows, words=_words())


@blueprint.get("/receipts/<receipt_id>")
def receipt(receipt_id: str) -> AnyResponse:
    """One sign-out, line by line, as it stands now. Nobody else sees it."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    keeper = provider().sign_outs.receipts
    row = keeper.find(receipt_id)
    if row is None or row.account_id != here[1].id:
        abort(404)
    lines = keeper.lines(receipt_id)
    commit()
    waiting = any(line.state in ("telling", "retrying") for line in lines)
    return render("account/receipt.html", receipt=row, lines=lines, waiting=waiting, words=_words())


def _words() -> dict[str, str]:
    """What was ended, and why, as one says it."""
    return {
        "app": gettext("One app in one browser"),
        "browser": gettext("One browser"),
        "everywhere": gettext("Everywhere"),
        "elsewhere": gettext("Everywhere but one browser"),
        "app_everywhere": gettext("One app everywhere"),
        "line": gettext("One app's access"),
        "signed_out": gettext("you signed out"),
        "expired": gettext("the time was over"),
        "administrator": gettext("an administrator did it"),
        "disabled": gettext("the account was disabled"),
        "password_changed": gettext("the password was changed"),
        "credential_removed": gettext("a passkey was removed"),
        "token_reused": gettext("a copied token was used"),
        "code_replayed": gettext("a copied code was used"),
        "consent_withdrawn": gettext("you removed the app"),
        "revoked": gettext("the app asked for it"),
        "other_account": gettext("another person signed in"),
    }
