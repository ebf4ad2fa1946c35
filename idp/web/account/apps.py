"""Apps with access, and taking it back."""

from flask import redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.sign_out import Because
from idp.web.account import blueprint
from idp.web.account.access import signed_in, to_sign_in
from idp.web.pages import render
from idp.web.wire import commit, now, provider


@blueprint.get("/account/apps")
def apps() -> AnyResponse:
    """What each app may do, and since when."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    op = provider()
    rows = [(grant, op.clients.find(grant.client_id)) for grant in op.grants.of_account(here[1].id)]
    commit()
    return render("account/apps.html", rows=rows)


@blueprint.post("/account/apps/remove")
def remove_app() -> AnyResponse:
    """Take a yes back: the app is signed out everywhere, and must ask again (OID-11)."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    op, account = provider(), here[1]
    client_id = request.form.get("client", "")
    if op.grants.forget(account.id, client_id, now()):
        op.events.record("ConsentWithdrawn", now(), account_id=account.id, client_id=client_id)
    why = Because("consent_withdrawn", "person")
    receipt = op.sign_outs.app_everywhere(account.id, client_id, why, now())
    commit()
    return redirect(f"/receipts/{receipt.id}" if receipt else "/account/apps", 303)
