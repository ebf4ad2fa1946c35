"""The issuer's keys: fetched once for all threads, kept, and fetched again for an unknown
`kid`, but never more often than every half minute.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from idp.crypto import jose
from idp.crypto.jose import Verifier

FRESH = timedelta(minutes=5)
OLDEST = timedelta(hours=1)
COOL_DOWN = timedelta(seconds=30)
MOST_BYTES = 256 * 1024


class KeysUnknown(Exception):
    """The issuer's keys could not be had."""


@dataclass(frozen=True, slots=True)
class _Held:
    at: datetime
    verifiers: tuple[Verifier, ...]
    metadata: dict[str, Any]


class IssuerKeys:
    """The keys of one issuer, and its metadata, by discovery."""

    def __init__(self, issuer: str, http: httpx.Client, clock: Callable[[], datetime]) -> None:
        self._issuer = issuer
        self._http = http
        self._clock = clock
        self._held: _Held | None = None
        self._tried_at: datetime | None = None
        self._lock = threading.Lock()

    def verifiers(self, kid: str | None) -> tuple[Verifier, ...]:
        """The keys to try; raises `KeysUnknown` when there are none that may still be used."""
        held = self._held
        now = self._clock()
        if held is None or now - held.at >= FRESH or not _knows(held, kid):
            held = self._again(held, now)
        if held is None or now - held.at >= OLDEST:
            raise KeysUnknown
        return held.verifiers

    def metadata(self) -> dict[str, Any]:
        """The issuer's discovery document."""
        held = self._held or self._again(None, self._clock())
        if held is None:
            raise KeysUnknown
        return held.metadata

    def _again(self, before: _Held | None, now: datetime) -> _Held | None:
        """Fetch, once for everybody who waits, and not again before the cool-down is over."""
        with self._lock:
            if self._held is not before:
                return self._held
            if before is not None and self._tried_at and now - self._tried_at < COOL_DOWN:
                return before
            self._tried_at = now
            try:
                self._held = self._fetch(now)
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                return before
            return self._held

    def _fetch(self, now: datetime) -> _Held:
        metadata = self._json(f"{self._issuer}/.well-known/openid-configuration")
        if metadata.get("issuer") != self._issuer:
            raise ValueError("the metadata is another issuer's (RFC 8414 section 3.3)")
        keys = self._json(str(metadata["jwks_uri"]))["keys"]
        verifiers = []
        for jwk in keys:
            try:
                verifiers.append(Verifier(jwk.get("kid"), jwk.get("alg"), jose.import_key(jwk)))
            except jose.Unverifiable:
                continue
        return _Held(now, tuple(verifiers), metadata)

    def _json(self, url: str) -> dict[str, Any]:
        answer = self._http.get(url)
        answer.raise_for_status()
        if len(answer.content) > MOST_BYTES:
            raise ValueError("the document is too long")
        document = answer.json()
        if not isinstance(document, dict):
            raise TypeError("the document is not an object")
        return document


def _knows(held: _Held, kid: str | None) -> bool:
    return kid is None or any(verifier.kid == kid for verifier in held.verifiers)
