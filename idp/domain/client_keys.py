"""A client's own public keys: given at registration, or fetched from where it keeps them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import jose
from idp.crypto.certificate import first_of
from idp.crypto.jose import Key, Verifier
from idp.crypto.jwe import Holder
from idp.domain.metadata.encryption import holder_in
from idp.domain.outbound import (
    WAIT_FOR_TURN_SECONDS,
    Outbound,
    OutboundBusy,
    OutboundRefused,
)

KEPT = timedelta(seconds=60)
COOL_DOWN = timedelta(seconds=10)
MOST_KEYS = 50
MOST_ADDRESSES = 1000


@dataclass(frozen=True, slots=True)
class _Fetched:
    at: datetime
    verifiers: tuple[Verifier, ...]
    jwks: object = None


class ClientKeys:
    """Keys by client. One fetch at a time for each address, and not more often than needed.

    `let_go` ends the reading transaction of the request: no database connection is held while
    a client's server takes its time (SSR-08).
    """

    def __init__(self, outbound: Outbound, let_go: Callable[[], None]) -> None:
        self._outbound = outbound
        self._let_go = let_go
        self._fetched: dict[str, _Fetched] = {}
        self._locks: dict[str, threading.Lock] = {}

    def of(
        self, details: Mapping[str, Any], kid: str | None, now: datetime
    ) -> tuple[Verifier, ...]:
        """The keys a client with this metadata has; looked up again for an unknown `kid`."""
        if "jwks" in details:
            return _verifiers(details["jwks"])
        fetched = self._at(details.get("jwks_uri"), now, lambda it: _has(it, kid))
        return fetched.verifiers if fetched is not None else ()

    def to_encrypt_for(self, details: Mapping[str, Any], alg: str, now: datetime) -> Holder | None:
        """The key that something for this client is encrypted with; looked up again when none
        fits.
        """
        if "jwks" in details:
            return holder_in(details["jwks"], alg)
        fetched = self._at(details.get("jwks_uri"), now, lambda it: holder_in(it.jwks, alg))
        return holder_in(fetched.jwks, alg) if fetched is not None else None

    def _at(
        self, address: str | None, now: datetime, wanted: Callable[["_Fetched"], object]
    ) -> _Fetched | None:
        """What is there, read not long ago; and not even that long, if what is wanted is not in
        it.
        """
        if address is None:
            return None
        fetched = self._fetched.get(address)
        if fetched is None or _worth_fetching(fetched, now, known=bool(wanted(fetched))):
            fetched = self._again(address, fetched, now)
        return fetched

    def _again(self, address: str, before: _Fetched | None, now: datetime) -> _Fetched | None:
        """Fetch, or wait a moment for who is fetching; a slow client is not waited for twice."""
        self._let_go()
        lock = self._locks.setdefault(address, threading.Lock())
        if not lock.acquire(timeout=WAIT_FOR_TURN_SECONDS):
            return before
        try:
            again = self._fetched.get(address)
            return self._fetch(address, before, now) if again is before else again
        finally:
            lock.release()

    def _fetch(self, address: str, before: _Fetched | None, now: datetime) -> _Fetched | None:
        try:
            jwks = self._outbound.get_json(address)
            fetched = _Fetched(now, _verifiers(jwks), jwks)
        except OutboundBusy:
            return before
        except OutboundRefused:
            fetched = replace(before, at=now) if before is not None else _Fetched(now, ())
        if len(self._fetched) >= MOST_ADDRESSES:
            self._fetched.clear()
            self._locks.clear()
        self._fetched[address] = fetched
        return fetched


def _has(fetched: _Fetched, kid: str | None) -> bool:
    return kid is None or any(verifier.kid == kid for verifier in fetched.verifiers)


def _worth_fetching(fetched: _Fetched, now: datetime, *, known: bool) -> bool:
    """An age below zero means that the clock was set back: nothing is known about then."""
    age = now - fetched.at
    return not timedelta(0) <= age < (KEPT if known else COOL_DOWN)


def _verifiers(jwks: object) -> tuple[Verifier, ...]:
    """Every key of a set that can verify a signature; the others are passed over."""
    found = []
    for jwk, key in _keys(jwks, "sig"):
        alg, shown = jwk.get("alg"), first_of(jwk.get("x5c"))
        found.append(
            Verifier(
                _kid(jwk),
                alg if isinstance(alg, str) else None,
                key,
                shown.x5t if shown is not None else None,
            )
        )
    return tuple(found)


def _keys(jwks: object, use: str) -> Iterator[tuple[Mapping[str, Any], Key]]:
    """The usable public keys of a set that are for this, or may be."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for jwk in keys[:MOST_KEYS] if isinstance(keys, list) else ():
        if not isinstance(jwk, dict) or jwk.get("use", use) != use or jwk.get("kty") == "oct":
            continue
        try:
            yield jwk, jose.import_key({k: v for k, v in jwk.items() if k != "d"})
        except jose.Unverifiable:
            continue


def _kid(jwk: Mapping[str, Any]) -> str | None:
    return jwk["kid"] if isinstance(jwk.get("kid"), str) else None
