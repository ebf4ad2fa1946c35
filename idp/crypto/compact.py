"""Base64url and JSON as tokens use them, read with suspicion: one spelling, no surprises."""

import base64
import binascii
import json
from typing import Any


class Unverifiable(Exception):
    """The token is not what it should be. The message is for our own trail, not for senders."""


def encoded(raw: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    """The bytes again, of the canonical spelling only (RFC 7515 section 2)."""
    try:
        plain = part.encode("ascii").translate(_TO_PLAIN)
        raw = binascii.a2b_base64(plain + b"=" * (-len(plain) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Unverifiable("not base64url") from error
    if not part.endswith(encoded(raw[len(raw) - len(raw) % 3 :])):  # the last bits must be zero
        raise Unverifiable("not canonical base64url")
    return raw


def json_object(raw: bytes) -> dict[str, Any]:
    """A JSON object: no member twice, no constants JSON lacks, and every string is text."""
    value = json_value(raw)
    if not isinstance(value, dict):
        raise Unverifiable("not a JSON object")
    return value


def json_value(raw: bytes) -> Any:  # noqa: ANN401 - JSON is what it is
    """Anything in JSON, read as strictly."""
    try:
        value = _DECODER.decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Unverifiable("not JSON") from error
    if b"\\u" in raw and not _is_text(value):
        raise Unverifiable("a string is not text")
    return value


def _is_text(value: object) -> bool:
    """No half of a surrogate pair and no NUL: escapes can spell both, and no store takes them."""
    try:
        spelled = json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return b"\\u0000" not in spelled


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member is there twice")
    return found


def _no_constants(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_TO_PLAIN = bytes.maketrans(b"-_+/=", b"+/!!!")
_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constants)
