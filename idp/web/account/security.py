"""What opens the account: the password and the passkeys."""

from flask import redirect, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import SHORTEST_PASSWORD, Account, WeakPassword, password_matches
from idp.domain.sign_out import Because
from idp.domain.throttle import Throttled
from idp.web.account import blueprint
from idp.web.account.access import fresh_account, signed_in, to_sign_in
from idp.web.pages import render
from idp.web.wire import commit, now, provider


@blueprint.get("/account/security")
def security() -> AnyResponse:
    """Passkeys and password."""
    here = signed_in()
    return to_sign_in() if here is None else _page(here[1])


@blueprint.post("/account/password")
def change_password() -> AnyResponse:
    """A new password needs the present one; the other browsers are signed out if one likes."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    session, account = here
    op = provider()
    if not _present_password_is_right(account):
        return _page(account, problem=gettext("The present password is not right."))
    try:
        op.accounts.set_password(account, request.form.get("new_password", ""), now())
    except WeakPassword as error:
        return _page(account, problem=_weak(error.reason))
    op.events.record("PasswordChanged", now(), account_id=account.id, session_id=session.id)
    if request.form.get("others"):
        why = Because("password_changed", "person")
        op.sign_outs.everywhere(account.id, why, now(), but=session.id)
    commit()
    return redirect("/account/security?changed=1", 303)


@blueprint.post("/account/passkeys/<int:number>/rename")
def rename_passkey(number: int) -> AnyResponse:
    """Call a passkey something else."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    provider().accounts.rename_credential(here[1].id, number, request.form.get("name", ""))
    commit()
    return redirect("/account/security", 303)


@blueprint.post("/account/passkeys/<int:number>/remove")
def remove_passkey(number: int) -> AnyResponse:
    """Remove a passkey; never the last way in. Whoever used it elsewhere is signed out."""
    here = signed_in()
    if here is None:
        return to_sign_in()
    session, account = here
    if fresh_account() is None:
        return redirect("/sign-in", 303)
    op = provider()
    if account.password_hash is None and len(op.accounts.credentials(account.id)) == 1:
        return _page(
            account,
            problem=gettext(
                "This is your only way to sign in. Add another passkey or a password first."
            ),
        )
    if op.accounts.remove_credential(account.id, number):
        op.events.record("PasskeyRemoved", now(), account_id=account.id, session_id=session.id)
        why = Because("credential_removed", "person")
        op.sign_outs.everywhere(account.id, why, now(), but=session.id)
    commit()
    return redirect("/account/security", 303)


def _present_password_is_right(account: Account) -> bool:
    if account.password_hash is None:
        return fresh_account() is not None
    try:
        provider().throttle.count("account", account.username_key, now())
    except Throttled:
        return False
    return password_matches(account.password_hash, request.form.get("password", "")[:4096])


def _weak(reason: str) -> str:
    words: dict[str, str] = {
        "too_short": gettext(
            "Use at least %(n)d characters. A few random words are easy to remember.",
            n=SHORTEST_PASSWORD,
        ),
        "too_long": gettext("That password is too long."),
        "too_common": gettext("That password is among those thieves try first."),
        "contains_name": gettext("Do not use your own name or address."),
    }
    return words[reason]


def _page(account: Account, problem: str | None = None) -> AnyResponse:
    passkeys = provider().accounts.credentials(account.id)
    commit()
    return render(
        "account/security.html",
        400 if problem else 200,
        account=account,
        passkeys=passkeys,
        problem=problem,
        changed=request.args.get("changed"),
        fresh=fresh_account() is not None,
    )
