"""A client's own public keys: given at registration, or fetched from where it keeps them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import jose
from idp.crypto.jose import Verifier
from idp.domain.outbound import Outbound, OutboundRefused

KEPT = timedelta(seconds=60)
COOL_DOWN = timedelta(seconds=10)
MOST_KEYS = 50


@dataclass(frozen=True, slots=True)
class _Fetched:
    at: datetime
    verifiers: tuple[Verifier, ...]


class ClientKeys:
    """Keys by client. One fetch at a time for each address, and not more often than needed."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._fetched: dict[str, _Fetched] = {}
        self._lock = threading.Lock()

    def of(
        self, details: Mapping[str, Any], kid: str | None, now: datetime
    ) -> tuple[Verifier, ...]:
        """The keys a client with this metadata has; looked up again for an unknown `kid`."""
        if "jwks" in details:
            return _verifiers(details["jwks"])
        address = details.get("jwks_uri")
        if address is None:
            return ()
        fetched = self._fetched.get(address)
        if fetched is not None and not self._worth_fetching(fetched, kid, now):
            return fetched.verifiers
        with self._lock:
            again = self._fetched.get(address)
            if again is fetched:
                again = self._fetch(address, fetched, now)
        return again.verifiers if again is not None else ()

    def _worth_fetching(self, fetched: _Fetched, kid: str | None, now: datetime) -> bool:
        age = now - fetched.at
        known = kid is None or any(verifier.kid == kid for verifier in fetched.verifiers)
        return age >= KEPT or (not known and age >= COOL_DOWN)

    def _fetch(self, address: str, before: _Fetched | None, now: datetime) -> _Fetched:
        try:
            verifiers = _verifiers(self._outbound.get_json(address))
        except OutboundRefused:
            verifiers = before.verifiers if before is not None else ()
        self._fetched[address] = fetched = _Fetched(now, verifiers)
        return fetched


def _verifiers(jwks: object) -> tuple[Verifier, ...]:
    """Every key of a set that can verify a signature; the others are passed over."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    found = []
    for jwk in keys[:MOST_KEYS] if isinstance(keys, list) else ():
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or jwk.get("kty") == "oct":
            continue
        try:
            key = jose.import_key({k: v for k, v in jwk.items() if k != "d"})
        except jose.Unverifiable:
            continue
        kid, alg = jwk.get("kid"), jwk.get("alg")
        found.append(
            Verifier(
                kid if isinstance(kid, str) else None,
                alg if isinstance(alg, str) else None,
                key,
            )
        )
    return tuple(found)
