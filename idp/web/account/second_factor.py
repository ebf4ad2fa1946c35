"""The authenticator app and the recovery codes of an account."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import enrolments
from idp.domain.enrolments import Over
from idp.domain.login import Proof, and_a_code, recovery
from idp.domain.sign_out import Because, Receipt
from idp.domain.step_up import step_up
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.authenticator import picture
from idp.web.browser import binding, set_session
from idp.web.language import gettext
from idp.web.strict import settle
from idp.web.wire import commit, now, provider

blueprint = Blueprint("second_factor", __name__)

LONGEST_CODE = 200
SECURITY = "/account/security"


@blueprint.post("/account/authenticator")
@personal("security", fresh=True)
def begin(here: Here) -> AnyResponse:
    """A secret for a new app."""
    handle = enrolments.offer(provider(), here.account.id, binding(), now())
    commit()
    return redirect(f"/account/authenticator?{urlencode({'setup': handle})}", 303)


@blueprint.get("/account/authenticator")
@personal("security", fresh=True)
def set_up(here: Here) -> AnyResponse:
    """The picture, and a field for the first code."""
    return _page(here)


@blueprint.post("/account/authenticator/confirm")
@personal("security", fresh=True)
def confirm(here: Here) -> AnyResponse:
    """The first code: the app counts from now on. This session has shown a code by it; those
    elsewhere have not, and are ended if the person likes.
    """
    op, account = provider(), here.account
    handle, given = request.form.get("setup", ""), request.form.get("code", "")[:LONGEST_CODE]
    replaced = op.accounts.second_factors.enrolled(account.id)
    try:
        made = enrolments.find(op, handle, account.id, binding(), now())
        if not enrolments.finish(op, handle, made, given, now(), in_place=replaced):
            return _page(here, gettext("That code is wrong. Type the one you see now."))
    except Over:
        return redirect(SECURITY, 303)
    codes = [] if replaced else recovery.renew(op, account.id, now())
    op.events.record(
        "AuthenticatorAdded",
        now(),
        account_id=account.id,
        session_id=here.session.id,
        address=request.remote_addr,
        change="update" if replaced else "create",
    )
    shown = Proof(account.id, tuple(here.session.amr), here.session.acr, here.session.auth_time)
    cookie = step_up(op, here.session, and_a_code(shown), now())
    others = bool(request.form.get("others"))
    receipt = _sign_out_others(here, "authenticator_added") if others else None
    settle(receipt)
    response = _shown_once(here, codes, receipt) if codes else _done("authenticator", receipt)
    set_session(response, cookie)
    return response


@blueprint.post("/account/authenticator/remove")
@personal("security", fresh=True)
def remove(here: Here) -> AnyResponse:
    """No app and no codes any more. Whoever signed in with them elsewhere is signed out."""
    op = provider()
    if not op.accounts.second_factors.remove(here.account.id):
        return _done("")
    op.events.record(
        "AuthenticatorRemoved",
        now(),
        account_id=here.account.id,
        session_id=here.session.id,
        address=request.remote_addr,
    )
    receipt = _sign_out_others(here, "authenticator_removed")
    settle(receipt)
    return _done("authenticator-removed", receipt)


@blueprint.post("/account/recovery-codes")
@personal("security", fresh=True)
def renew_codes(here: Here) -> AnyResponse:
    """Ten other codes; those before them are worth nothing."""
    op, account = provider(), here.account
    if not op.accounts.second_factors.enrolled(account.id):
        return _done("")
    codes = recovery.renew(op, account.id, now())
    op.events.record(
        "RecoveryCodesRenewed",
        now(),
        account_id=account.id,
        session_id=here.session.id,
        address=request.remote_addr,
    )
    commit()
    return _shown_once(here, codes)


def _page(here: Here, wrong: str | None = None) -> AnyResponse:
    handle = request.values.get("setup", "")
    try:
        made = enrolments.find(provider(), handle, here.account.id, binding(), now())
    except Over:
        return redirect(SECURITY, 303)
    return show(
        here,
        "authenticator.html",
        400 if wrong else 200,
        setup=handle,
        picture=picture(here.account, made),
        replaces=provider().accounts.second_factors.enrolled(here.account.id),
        wrong=wrong,
    )


def _shown_once(here: Here, codes: list[str], receipt: Receipt | None = None) -> AnyResponse:
    query = f"?receipt={receipt.id}" if receipt is not None else ""
    return show(here, "recovery_codes.html", codes=codes, onwards=f"{SECURITY}{query}")


def _sign_out_others(here: Here, reason: str) -> Receipt | None:
    why = Because(reason, "person")
    return provider().sign_outs.everywhere(here.account.id, why, now(), but=here.session.id)


def _done(what: str, receipt: Receipt | None = None) -> AnyResponse:
    query = {"done": what} if what else {}
    if receipt is not None:
        query["receipt"] = receipt.id
    return redirect(f"{SECURITY}?{urlencode(query)}" if query else SECURITY, 303)
