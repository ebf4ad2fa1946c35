"""Something known: a password."""

from datetime import datetime

from idp.domain import Provider
from idp.domain.accounts import needs_rehash, nobody, password_matches
from idp.domain.login import PASSWORD_ACR, Proof


def verify(op: Provider, username: str, password: str, now: datetime) -> Proof | None:
    """A proof, or None: the same work and the same answer whether the name is unknown, the
    password wrong, the account disabled, or has none (PWD-05).
    """
    account = op.accounts.find_by_username(username)
    hashed = account.password_hash if account is not None else None
    right = password_matches(hashed or nobody(), password)
    if not right or account is None or hashed is None or account.disabled_at is not None:
        return None
    if needs_rehash(hashed):
        op.accounts.rehash(account, password)
    return Proof(account.id, ("pwd",), PASSWORD_ACR, now)
