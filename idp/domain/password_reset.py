"""A new password for somebody who has lost theirs: an operator makes a link, and the person
chooses the password (PWD-12, ADM-05). Nobody is signed in by it, and everything the person is
signed in to ends.
"""

from datetime import datetime, timedelta

from idp.crypto.secrets import Handle
from idp.domain import Provider
from idp.domain.accounts import Account
from idp.domain.codes import RESET, AlreadySpent, Code, Gone
from idp.domain.sign_out import Because, Receipt

LIVES = timedelta(minutes=15)
WHY = Because("password_reset", "person")


class LinkIsOver(Exception):
    """No such link, or it was used, or its time is over, or the password has changed since."""


def offer(op: Provider, account: Account, now: datetime) -> Handle:
    """A link's secret part: good once, for this person, while the password is what it is now."""
    details = {"account_id": account.id, "of": _password_of(account)}
    return op.codes.issue(RESET, details, LIVES, now)


def owner(op: Provider, secret: str, now: datetime) -> Account:
    """Whose link it is; nothing is used up. Raises `LinkIsOver`."""
    code = op.codes.look(RESET, secret, now)
    if code is None or code.spent_at is not None:
        raise LinkIsOver
    return _account(op, code)


def use(op: Provider, secret: str, password: str, now: datetime) -> tuple[Account, Receipt | None]:
    """Set the password, once, and end everything. Raises `LinkIsOver`, and `WeakPassword` before
    the link is used up.
    """
    account = owner(op, secret, now)
    op.accounts.judge(password, account.username, account.claims)
    try:
        account = _account(op, op.codes.spend(RESET, secret, now))
    except (AlreadySpent, Gone):
        raise LinkIsOver from None
    op.accounts.set_password(account, password, now)
    return account, op.sign_outs.everywhere(account.id, WHY, now)


def _account(op: Provider, code: Code) -> Account:
    account = op.accounts.find(code.details["account_id"])
    if account is None or account.disabled_at is not None:
        raise LinkIsOver
    if code.details["of"] != _password_of(account):
        raise LinkIsOver
    return account


def _password_of(account: Account) -> str:
    """Which password it is, by when it was chosen."""
    return account.password_changed_at.isoformat() if account.password_changed_at else ""
