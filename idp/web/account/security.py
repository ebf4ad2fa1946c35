"""What opens the account: the password, the passkeys, and codes beside the password."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from idp.domain.accounts import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Account,
    LastWayIn,
    WeakPassword,
)
from idp.domain.caep import passkey_type
from idp.domain.passwords import password_matches
from idp.domain.second_step import ALL, NOBODY
from idp.domain.sign_out import Because, Receipt
from idp.domain.throttle import Throttled
from idp.web.account.access import Here, personal
from idp.web.account.frame import show
from idp.web.language import gettext
from idp.web.strict import settle
from idp.web.wire import commit, now, provider
from idp.web.words import device

blueprint = Blueprint("security", __name__)


@blueprint.get("/account/security")
@personal("security")
def security(here: Here) -> AnyResponse:
    """Passkeys and password."""
    return _page(here)


@blueprint.post("/account/password")
@personal("security", fresh=True)
def change_password(here: Here) -> AnyResponse:
    """A new password needs the present one; the other browsers are signed out if one likes."""
    op, account = provider(), here.account
    change = "update" if account.password_hash is not None else "create"
    problem = _present_password_is_wrong(account)
    if problem is not None:
        return _page(here, problem=problem, fault="present")
    try:
        op.accounts.set_password(account, request.form.get("new_password", ""), now())
    except WeakPassword as error:
        return _page(here, problem=weak(error.reason), fault="new")
    op.events.record(
        "PasswordChanged",
        now(),
        account_id=account.id,
        session_id=here.session.id,
        change=change,
    )
    receipt = _sign_out_others(here, "password_changed") if request.form.get("others") else None
    settle(receipt)
    return _done("password", receipt)


@blueprint.post("/account/passkeys/<int:number>/rename")
@personal("security", fresh=True)
def rename_passkey(here: Here, number: int) -> AnyResponse:
    """Call a passkey something else."""
    name = request.form.get("name", "")
    renamed = provider().accounts.rename_credential(here.account.id, number, name)
    commit()
    return _done("passkey-renamed" if renamed else "")


@blueprint.post("/account/passkeys/<int:number>/remove")
@personal("security", fresh=True)
def remove_passkey(here: Here, number: int) -> AnyResponse:
    """Remove a passkey, never the last way in. Whoever used it elsewhere is signed out."""
    op, account = provider(), here.account
    known = {row.id: row for row in op.accounts.credentials(account.id)}
    try:
        removed = op.accounts.remove_credential(account.id, number)
    except LastWayIn:
        return _page(
            here,
            problem=gettext(
                "This is your only way to sign in. Add another passkey or a password first."
            ),
        )
    if not removed or number not in known:
        return _done("")
    op.events.record(
        "PasskeyRemoved",
        now(),
        account_id=account.id,
        session_id=here.session.id,
        passkey=known[number].name,
        credential_type=passkey_type(known[number].transports),
    )
    receipt = _sign_out_others(here, "credential_removed")
    settle(receipt)
    return _done("passkey-removed", receipt)


def _present_password_is_wrong(account: Account) -> str | None:
    """Tries count here as they do when signing in. Nobody without a password has one to name;
    their fresh sign-in was by passkey.
    """
    if account.password_hash is None:
        return None
    given = request.form.get("password", "")
    try:
        provider().throttle.count("device", account.username_key, now())
    except Throttled:
        return gettext("Too many tries. Wait a few minutes.")
    if len(given) > LONGEST_PASSWORD or not password_matches(account.password_hash, given):
        return gettext("The present password is not right.")
    provider().throttle.clear("device", account.username_key, now())
    return None


def _sign_out_others(here: Here, reason: str) -> Receipt | None:
    why = Because(reason, "person")
    return provider().sign_outs.everywhere(here.account.id, why, now(), but=here.session.id)


def _done(what: str, receipt: Receipt | None = None) -> AnyResponse:
    query = f"?done={what}" if what else ""
    if receipt is not None:
        query += f"&receipt={receipt.id}"
    return redirect(f"/account/security{query}", 303)


def weak(reason: str) -> str:
    """Why a password is refused, as one says it."""
    return {
        "too_short": gettext(
            "Use at least %(n)d characters. A few random words are easy to remember.",
            n=SHORTEST_PASSWORD,
        ),
        "too_long": gettext("That password is too long."),
        "too_common": gettext("That password is among those thieves try first."),
        "contains_name": gettext("Do not use your own name or address."),
    }[reason]


def _page(here: Here, *, problem: str | None = None, fault: str | None = None) -> AnyResponse:
    op, account = provider(), here.account
    codes = op.accounts.second_factors.recovery_codes(account.id)
    return show(
        here,
        "security.html",
        400 if problem else 200,
        app=op.accounts.second_factors.app(account.id),
        codes_used=sorted(row.used_at for row in codes if row.used_at is not None),
        codes_left=sum(row.used_at is None for row in codes),
        always=op.rules.second_factor != NOBODY,
        everybody=op.rules.second_factor == ALL,
        passkeys=op.accounts.credentials(account.id),
        problem=problem,
        fault=fault,
        fresh=here.fresh,
        suggested=device(request.headers.get("User-Agent", "")),
    )
