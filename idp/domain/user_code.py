"""The code a person reads on one device and types on another (RFC 8628 section 6.1)."""

import secrets
import unicodedata

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Capitals that are not taken for each other, and no vowels, so that they spell nothing."""

LENGTH = 8
GROUP = 4
LONGEST_TYPED = 64
_MEANT = str.maketrans({"8": "B", "5": "S", "2": "Z", "6": "G"})


def new_user_code() -> str:
    """A fresh one, of 34 bits (RFC 8628 section 5.1)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """As it is easiest to read: in groups."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def read(typed: str) -> str | None:
    """The code that is meant, however it is typed: small letters, spaces, dashes of any kind,
    digits that look like a letter. None for what cannot be a code.
    """
    plain = unicodedata.normalize("NFKC", typed[:LONGEST_TYPED]).upper()
    code = "".join(char for char in plain if char.isalnum()).translate(_MEANT)
    if len(code) != LENGTH or any(char not in ALPHABET for char in code):
        return None
    return code
