"""The issuer's keys and its metadata: fetched once for all threads, kept, and fetched again
when they are old or when a `kid` is unknown, but never more often than every half minute.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from idp.crypto import jose
from idp.crypto.jose import Reader, Verifier
from idp.guard.wire import Unanswered, Wire

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
FRESH = 5 * 60.0
OLDEST = 60 * 60.0
COOL_DOWN = 30.0
SOON = 1.0


class WouldWait(Exception):
    """The answer would have to come over the network, and the caller must not wait."""


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What was fetched at one moment. `tokens` reads access tokens (RFC 9068 section 2.1)."""

    at: float
    verifiers: tuple[Verifier, ...]
    tokens: Reader
    kids: frozenset[str | None]
    metadata: dict[str, Any]

    def knows(self, kid: str | None) -> bool:
        """Whether a token may name this key; one that names none may be any key's."""
        return kid is None or kid in self.kids


class IssuerKeys:
    """The keys of one issuer, and its metadata, by discovery."""

    def __init__(self, issuer: str, wire: Wire, ticks: Callable[[], float]) -> None:
        self._issuer = issuer
        self._wire = wire
        self._ticks = ticks
        self._held: Held | None = None
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    @property
    def age(self) -> float | None:
        """Seconds since the keys were fetched; None when there are none."""
        held = self._held
        return None if held is None else self._ticks() - held.at

    def held(self, kid: str | None, *, wait: bool = True) -> Held:
        """The keys that may be used now; raises `Unanswered` when there are none."""
        held, now = self._held, self._ticks()
        if held is not None and now - held.at < FRESH and held.knows(kid):
            return held
        held = self._again(held, now, kid, wait=wait)
        if held is None or self._ticks() - held.at >= OLDEST:
            raise Unanswered
        return held

    def metadata(self, *, wait: bool = True) -> dict[str, Any]:
        """The issuer's discovery document; its age does not matter, addresses stay."""
        held = self._held or self._again(None, self._ticks(), None, wait=wait)
        if held is None:
            raise Unanswered
        return held.metadata

    def _again(
        self, before: Held | None, now: float, kid: str | None, *, wait: bool
    ) -> Held | None:
        """Fetch, once for everybody, and not again before the cool-down is over.

        Who can go on with what there is does not wait for somebody else's fetch.
        """
        if not self._due(before) and not self._lock.locked():
            return self._held
        if not wait:
            raise WouldWait
        usable = before is not None and now - before.at < OLDEST and before.knows(kid)
        if not self._lock.acquire(blocking=not usable):
            return before
        try:
            if self._held is before and self._due(before):
                self._tried_at = self._ticks()
                self._held = self._fetch()
        except (Unanswered, ValueError, KeyError, TypeError):
            pass
        finally:
            self._lock.release()
        return self._held

    def _due(self, before: Held | None) -> bool:
        pause = SOON if before is None else COOL_DOWN
        return self._tried_at is None or self._ticks() - self._tried_at >= pause

    def _fetch(self) -> Held:
        began = self._ticks()
        metadata = self._wire.get(f"{self._issuer}/.well-known/openid-configuration")
        if metadata.get("issuer") != self._issuer:
            raise ValueError("the metadata is another issuer's (RFC 8414 section 3.3)")
        verifiers = []
        for jwk in self._wire.get(str(metadata["jwks_uri"]))["keys"]:
            try:
                key = jose.import_key(jwk)
            except (jose.Unverifiable, AttributeError):
                continue
            verifiers.append(Verifier(jwk.get("kid"), jwk.get("alg"), key))
        tokens = Reader(verifiers, ALGORITHMS, typ="at+jwt")
        return Held(began, tuple(verifiers), tokens, frozenset(v.kid for v in verifiers), metadata)
