"""The sign-in page, and the choice of an account."""

import math

from flask import Blueprint, Response, redirect, request
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import Provider
from idp.domain.accounts import Account, username_key
from idp.domain.login import password
from idp.domain.second_step import Over
from idp.domain.sessions import Closed
from idp.domain.throttle import Throttled, network
from idp.protocol.interaction import Step, next_step
from idp.web.account.access import LANDINGS, Here, signed_in
from idp.web.authorize import Transaction, find_transaction, remember
from idp.web.browser import known_device
from idp.web.interaction.arrival import proved
from idp.web.interaction.passage import address, go_on, mark
from idp.web.language import gettext
from idp.web.pages import render
from idp.web.stale import stale_page
from idp.web.wire import commit, now, provider
from idp.web.words import home

blueprint = Blueprint("sign_in", __name__)

LONGEST_FIELD = 4096
MINUTE = 60


@blueprint.get("/sign-in")
def sign_in() -> AnyResponse:
    """The sign-in page: it names the app that asks, and works without JavaScript."""
    transaction, stale = _transaction()
    if stale is not None:
        return stale
    here = signed_in()
    if transaction is None or here is None or _wants_another():
        return _page(transaction, None if _wants_another() else here)
    op, draft = provider(), transaction.draft
    grant = op.grants.find(here.account.id, draft.client.client_id)
    if next_step(draft, here.session, grant, transaction.done, op, now()) is not Step.SIGN_IN:
        return go_on(transaction)
    if {"select_account", "login"} & draft.prompt == {"select_account"}:
        if not transaction.done.chosen:
            return _choose(transaction, here.account)
    return _page(transaction, here)


@blueprint.post("/sign-in")
def try_password() -> AnyResponse:
    """A name and a password. Whatever is wrong, the answer is the same (PWD-05)."""
    op = provider()
    transaction, stale = _transaction()
    if stale is not None:
        return stale
    username = request.form.get("username", "")
    secret = request.form.get("password", "")
    if max(len(username), len(secret)) > LONGEST_FIELD:
        return _again(transaction, _wrong(), "")
    try:
        _count(op, username)
    except Throttled as error:
        return _wait(transaction, username, error)
    proof = password.verify(op, username, secret, now())
    if proof is None:
        who = op.accounts.named(username).account_id or None
        op.events.record("SignInFailed", now(), account_id=who, address=request.remote_addr)
        commit()
        return _again(transaction, _wrong(), username)
    commit()  # a new hash may be under way, and counts are kept in a transaction of their own
    op.throttle.clear("account", username_key(username), now())
    op.throttle.clear("device", username_key(username), now())
    try:
        return proved(proof, transaction, LANDINGS.get(request.form.get("for", ""), "/account"))
    except (Closed, Over):
        return _again(transaction, _wrong(), username)


@blueprint.post("/sign-in/switch")
def stay() -> AnyResponse:
    """The person was asked which account to use, and stays with the one at hand."""
    transaction = find_transaction(request.form.get("tx", ""))
    here = signed_in()
    if transaction is None:
        return stale_page()
    if here is None or request.form.get("account") != mark(transaction, here.account):
        return redirect(address("/sign-in", transaction), 303)
    remember(transaction, chosen=here.account.id)
    commit()
    return go_on(transaction)


def _transaction() -> tuple[Transaction | None, Response | None]:
    """The transaction of this page, if it names one; a page of its own when that is over."""
    handle = request.values.get("tx", "")
    if not handle:
        return None, None
    transaction = find_transaction(handle)
    return transaction, (stale_page() if transaction is None else None)


def _wants_another() -> bool:
    return request.args.get("as") == "other"


def _again(transaction: Transaction | None, problem: str, username: str) -> Response:
    """The page once more, with what went wrong."""
    return _page(transaction, None, problem=problem, username=username, status=400)


def _wait(transaction: Transaction | None, username: str, error: Throttled) -> Response:
    """Too many tries: how long to wait, the same for names that exist and names that do not."""
    seconds = max(1, math.ceil(error.retry_after.total_seconds()))
    problem = ngettext(
        "Too many tries. Wait %(num)d minute, or sign in with a passkey.",
        "Too many tries. Wait %(num)d minutes, or sign in with a passkey.",
        math.ceil(seconds / MINUTE),
    )
    response = _page(transaction, None, problem=problem, username=username, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _page(
    transaction: Transaction | None,
    here: Here | None,
    *,
    problem: str | None = None,
    username: str | None = None,
    status: int = 200,
) -> Response:
    draft = transaction.draft if transaction is not None else None
    account = here.account if here is not None else None
    if username is None and not _wants_another():
        username = draft.login_hint if draft is not None else None
        username = username or (account.username if account is not None else "")
    landing = request.values.get("for", "")
    return render(
        "interaction/sign_in.html",
        status,
        tx=transaction.handle if transaction is not None else "",
        landing=landing if landing in LANDINGS else "",
        client=draft.client if draft is not None else None,
        host=home(draft.client, draft.redirect_uri) if draft is not None else "",
        problem=problem,
        username=username or "",
        again=account,
    )


def _choose(transaction: Transaction, account: Account) -> Response:
    draft = transaction.draft
    return render(
        "interaction/choose.html",
        tx=transaction.handle,
        client=draft.client,
        host=home(draft.client, draft.redirect_uri),
        account=account,
        mark=mark(transaction, account),
    )


def _count(op: Provider, username: str) -> None:
    """Before the try. The person's own browser has an allowance of its own (PWD-07, PWD-08)."""
    key = username_key(username)
    own = known_device(op.accounts.named(username).account_id)
    op.throttle.count("device" if own else "account", key, now())
    op.throttle.count("address", network(request.remote_addr or ""), now())


def _wrong() -> str:
    return gettext("That name and password do not fit together.")
