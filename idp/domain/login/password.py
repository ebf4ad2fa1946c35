"""Something known: a password."""

from datetime import datetime

from idp.domain import Provider
from idp.domain.login import PASSWORD_ACR, Proof
from idp.domain.passwords import needs_rehash, nobody, password_matches


def verify(op: Provider, username: str, password: str, now: datetime) -> Proof | None:
    """A proof, or None: the same work and the same answer whether the name is unknown, the
    password wrong, the account disabled, or has none (PWD-05).
    """
    named = op.accounts.named(username)
    right = password_matches(named.password_hash or nobody(), password)
    if not right or named.password_hash is None or named.disabled:
        return None
    if needs_rehash(named.password_hash):
        op.accounts.rehash(named, password)
    return Proof(named.account_id, ("pwd",), PASSWORD_ACR, now)
