"""Which tokens were taken back, as one bit for each in a signed list (Token Status List).

The same file packs a list in the provider and looks into it in the guard of an API
(draft-ietf-oauth-status-list sections 4 and 5). One bit says valid or not; the first token of
a byte is its lowest bit.
"""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.crypto import jose
from idp.crypto.compact import Unverifiable, decoded, encoded

__all__ = ["MEDIA_TYPE", "TYP", "Reference", "StatusList", "pack", "reference_in", "unpack"]

TYP = "statuslist+jwt"
MEDIA_TYPE = f"application/{TYP}"
BITS = 1
LEVEL = 5
MOST_BYTES = 1024 * 1024
MOST = 8 * MOST_BYTES


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the status of one token stands: a list, and a place in it."""

    uri: str
    idx: int

    @property
    def claim(self) -> dict[str, object]:
        """What the token says of it (section 6.2)."""
        return {"status_list": {"idx": self.idx, "uri": self.uri}}


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list as its issuer has signed it: until when it counts, and when to ask again."""

    uri: str
    issued_at: float
    expires_at: float
    ttl: float
    bits: bytes

    def valid(self, idx: int) -> bool:
        """Whether the token at this place was not taken back; raises `Unverifiable` for a place
        the list does not have.
        """
        if not 0 <= idx < 8 * len(self.bits):
            raise Unverifiable("the list has no such place")
        return not self.bits[idx // 8] >> (idx % 8) & 1


def reference_in(claims: Mapping[str, Any]) -> Reference | None:
    """Where the status of a token stands, if it says so; raises `Unverifiable` for one that
    says it in another way than ours.
    """
    status = claims.get("status")
    if status is None:
        return None
    said = status.get("status_list") if isinstance(status, dict) else None
    if not isinstance(said, dict):
        raise Unverifiable("a status of another kind")
    idx, uri = said.get("idx"), said.get("uri")
    if isinstance(idx, bool) or not isinstance(idx, int) or not 0 <= idx < MOST:
        raise Unverifiable("idx is not a place")
    if not isinstance(uri, str) or not uri:
        raise Unverifiable("uri is missing")
    return Reference(uri, idx)


def pack(size: int, taken_back: Iterable[int]) -> dict[str, object]:
    """The `status_list` claim of a list with so many places (section 4.2).

    A higher level saves a few hundred bytes and takes fifty times as long, at each fetch.
    """
    bits = bytearray(size // 8)
    for idx in taken_back:
        bits[idx // 8] |= 1 << (idx % 8)
    return {"bits": BITS, "lst": encoded(zlib.compress(bytes(bits), LEVEL))}


def unpack(claims: Mapping[str, Any], uri: str, now: datetime) -> StatusList:
    """What a list says whose signature is good (section 8.3); raises `Unverifiable`."""
    jose.check_times(claims, now)
    if claims.get("sub") != uri:
        raise Unverifiable("another list than the one that was asked for")
    issued_at, expires_at, ttl = (_number(claims, name) for name in ("iat", "exp", "ttl"))
    if expires_at <= now.timestamp() or ttl <= 0:
        raise Unverifiable("expired")
    said = claims.get("status_list")
    if not isinstance(said, dict) or said.get("bits") != BITS:
        raise Unverifiable("not a list of single bits")
    lst = said.get("lst")
    if not isinstance(lst, str):
        raise Unverifiable("lst is missing")
    return StatusList(uri, issued_at, expires_at, ttl, _inflated(decoded(lst)))


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unverifiable(f"{name} is missing")
    return value


def _inflated(packed: bytes) -> bytes:
    """As many bytes as a list may have; whatever swells up further is refused."""
    inflate = zlib.decompressobj()
    try:
        bits = inflate.decompress(packed, MOST_BYTES)
    except zlib.error:
        raise Unverifiable("lst is not compressed as it must be") from None
    if inflate.unconsumed_tail or not inflate.eof:
        raise Unverifiable("lst is too long, or cut off")
    return bits
