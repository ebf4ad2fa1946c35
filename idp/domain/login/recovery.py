"""Ten codes on paper, for who has lost the phone: each works once, in place of a code from the
app.

A code has 120 random bits, so a plain hash of it is as good as a slow one. The letters that
are mistaken for digits are not among its characters, and are read as those digits.
"""

import secrets
from datetime import datetime

from idp.crypto.secrets import Digest, digest
from idp.domain import Provider

NUMBER = 10
CHARACTERS, GROUP = 24, 4
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # 32 of them: five bits each
MISREAD = str.maketrans("oil", "011", " -\t")


def renew(op: Provider, account_id: str, now: datetime) -> list[str]:
    """Ten fresh codes, which nobody can show a second time; older ones are worth nothing."""
    codes = [_new() for _ in range(NUMBER)]
    kept = [_kept(account_id, code) for code in codes]
    op.accounts.second_factors.renew_recovery_codes(account_id, kept, now)
    return codes


def verify(op: Provider, account_id: str, code: str, now: datetime) -> bool:
    """Whether this is one of the person's codes that was not used yet."""
    kept = _kept(account_id, code)
    return op.accounts.second_factors.spend_recovery_code(account_id, kept, now)


def left(op: Provider, account_id: str) -> int:
    """How many of them still work."""
    codes = op.accounts.second_factors.recovery_codes(account_id)
    return sum(code.used_at is None for code in codes)


def _new() -> str:
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))
    return "-".join(drawn[start : start + GROUP] for start in range(0, CHARACTERS, GROUP))


def _kept(account_id: str, code: str) -> Digest:
    """Of the code and its owner: in another person's row it is no code."""
    return digest(f"{account_id} {code.lower().translate(MISREAD)}")
