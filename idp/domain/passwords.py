"""Passwords as we keep them: hashed, slowly, and only so many at once."""

import secrets
import threading
import unicodedata
from base64 import b64encode
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

HASHED_AT_ONCE = 2

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = threading.BoundedSemaphore(HASHED_AT_ONCE)


def hash_password(password: str) -> str:
    """Argon2id; only so many at once, so that sign-ins never take the whole machine (PWD-01)."""
    with _hashing:
        return _hasher.hash(unicodedata.normalize("NFKC", password))


def password_matches(hashed: str, password: str) -> bool:
    """Whether this is the password; as long for a wrong one as for a right one."""
    with _hashing:
        try:
            return _hasher.verify(hashed, unicodedata.normalize("NFKC", password))
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False


def needs_rehash(hashed: str) -> bool:
    """Whether it was hashed under other parameters than today's."""
    return _hasher.check_needs_rehash(hashed)


@cache
def nobody() -> str:
    """A hash nothing matches, for the work that must be done when there is no account. It is
    put together and not computed, so that the first stranger does not wait longer than others.
    """
    salt, hashed = (b64encode(secrets.token_bytes(n)).rstrip(b"=").decode() for n in (16, 32))
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${hashed}"


@cache
def common_passwords() -> frozenset[str]:
    """The passwords that thieves try first."""
    text = files("idp.domain.login").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))
