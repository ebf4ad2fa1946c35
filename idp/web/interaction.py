"""The pages a person passes through: sign in, and consent."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain import Provider
from idp.domain.accounts import username_key
from idp.domain.login import Proof, password
from idp.domain.sign_out import Because
from idp.domain.throttle import Throttled, network
from idp.protocol.claims import OPENID_SCOPES
from idp.web.authorize import Transaction, find_transaction, remember, stale_page
from idp.web.browser import (
    current_session,
    known_device,
    remember_device,
    set_session,
)
from idp.web.pages import render
from idp.web.wire import commit, now, provider

blueprint = Blueprint("interaction", __name__)

LONGEST_FIELD = 4096


@blueprint.get("/sign-in")
def sign_in() -> AnyResponse:
    """The sign-in page: it names the app that asks, and works without JavaScript."""
    transaction, stale = _transaction()
    return stale or _page(transaction)


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
        return _page(transaction, problem=_wrong(), status=400)
    try:
        _count(op, username)
    except Throttled as error:
        minutes = int(error.retry_after.total_seconds() // 60)
        problem = gettext(
            "Too many tries. Wait %(minutes)d minutes, or use a passkey.", minutes=minutes
        )
        return _page(transaction, problem=problem, username=username, status=429)
    proof = password.verify(op, username, secret, now())
    if proof is None:
        op.events.record("SignInFailed", now(), address=request.remote_addr)
        commit()
        return _page(transaction, problem=_wrong(), username=username, status=400)
    _forgive(op, username)
    return admit(proof, transaction)


@blueprint.get("/consent")
def consent() -> AnyResponse:
    """What the app may do, in plain words."""
    op = provider()
    transaction = find_transaction(request.args.get("tx", ""))
    session = current_session(op, now())
    if transaction is None or session is None:
        return stale_page()
    account = op.accounts.find(session.account_id)
    if account is None:
        return stale_page()
    draft = transaction.draft
    return render(
        "consent.html",
        tx=transaction.handle,
        client=draft.client,
        host=_host(transaction),
        account=account,
        lines=_in_words(draft.scopes, op.resources.scopes()),
        offline=draft.offline,
    )


@blueprint.post("/consent")
def decide() -> AnyResponse:
    """Yes or no. The answer counts for this transaction and what it asked for (CSR-02)."""
    op = provider()
    transaction = find_transaction(request.form.get("tx", ""))
    session = current_session(op, now())
    if transaction is None or session is None:
        return stale_page()
    draft = transaction.draft
    if request.form.get("answer") == "allow":
        op.grants.allow(
            session.account_id,
            draft.client.client_id,
            scopes=draft.scopes,
            resources=draft.resources,
            claims=sorted({name for member in draft.claims.values() for name in member}),
            now=now(),
        )
        op.events.record(
            "ConsentGiven",
            now(),
            account_id=session.account_id,
            client_id=draft.client.client_id,
            scopes=list(draft.scopes),
        )
        remember(transaction, consented=True)
    else:
        remember(transaction, denied=True)
    commit()
    return redirect(f"/authorize/continue?tx={transaction.handle}", 303)


def admit(proof: Proof, transaction: Transaction | None) -> AnyResponse:
    """Somebody has proved who they are: a session, a fresh cookie, and on to the next step."""
    op = provider()
    session = current_session(op, now())
    if session is not None and session.account_id == proof.account_id:
        cookie = op.sessions.step_up(session, proof, now())
        session_id = session.id
    else:
        if session is not None:
            why = Because("other_account", "person")
            op.sign_outs.browser(session.account_id, session.id, why, now())
        opened, cookie = op.sessions.open(
            proof,
            user_agent=request.headers.get("User-Agent", ""),
            address=request.remote_addr or "",
            now=now(),
        )
        session_id = opened.id
    op.events.record(
        "SignedIn",
        now(),
        account_id=proof.account_id,
        session_id=session_id,
        address=request.remote_addr,
        amr=list(proof.amr),
    )
    if transaction is not None:
        remember(transaction, stronger=True)
    commit()
    target = "/account" if transaction is None else f"/authorize/continue?tx={transaction.handle}"
    response = redirect(target, 303)
    set_session(response, cookie)
    remember_device(response, proof.account_id)
    return response


def _transaction() -> tuple[Transaction | None, Response | None]:
    """The transaction of this page, if it names one; a page of its own when that is over."""
    handle = request.values.get("tx", "")
    if not handle:
        return None, None
    transaction = find_transaction(handle)
    return transaction, (stale_page() if transaction is None else None)


def _page(
    transaction: Transaction | None,
    *,
    problem: str | None = None,
    username: str | None = None,
    status: int = 200,
) -> Response:
    op = provider()
    draft = transaction.draft if transaction is not None else None
    session = current_session(op, now())
    account = op.accounts.find(session.account_id) if session is not None else None
    hint = draft.login_hint if draft is not None else None
    return render(
        "sign_in.html",
        status,
        tx=transaction.handle if transaction is not None else "",
        client=draft.client if draft is not None else None,
        host=_host(transaction) if transaction is not None else None,
        problem=problem,
        username=username or hint or (account.username if account is not None else ""),
        again=account,
    )


def _count(op: Provider, username: str) -> None:
    """Before the try. The person's own browser has an allowance of its own (PWD-07, PWD-08)."""
    key = username_key(username)
    account = op.accounts.find_by_username(username)
    own = account is not None and known_device(account.id)
    op.throttle.count("device" if own else "account", key, now())
    op.throttle.count("address", network(request.remote_addr or ""), now())


def _forgive(op: Provider, username: str) -> None:
    op.throttle.clear("account", username_key(username))
    op.throttle.clear("device", username_key(username))


def _wrong() -> str:
    return str(gettext("That name and password do not fit together."))


def _host(transaction: Transaction) -> str:
    """Where the person will be sent back to: the part of a name an app cannot make up."""
    parts = urlsplit(transaction.draft.redirect_uri)
    return parts.netloc or parts.scheme


def _in_words(scopes: tuple[str, ...], of_apis: Mapping[str, str]) -> list[str]:
    """What each scope means to a person."""
    words = {
        "openid": gettext("Know that it is you"),
        "profile": gettext("See your profile: name, picture, language and the like"),
        "email": gettext("See your e-mail address"),
        "address": gettext("See your postal address"),
        "phone": gettext("See your phone number"),
        **{scope: text for scope, text in of_apis.items() if scope not in OPENID_SCOPES},
    }
    return [words[scope] for scope in scopes if scope in words]
