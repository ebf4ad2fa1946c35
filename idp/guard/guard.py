"""Read the token, check it, ask whether it is alive, check its scope."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from idp.crypto import jose
from idp.guard import refused
from idp.guard.jwks import IssuerKeys, KeysUnknown
from idp.guard.live import Introspection, Liveness, Offline, Unanswered

ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
NEEDED = ("sub", "client_id", "jti", "iat")
PATIENCE_SECONDS = 2.0
MOST_TOKENS = 10_000


def wall_clock() -> datetime:
    """Now; an application may hand in another clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Access:
    """A request that is let through, and what its token says."""

    claims: dict[str, Any]

    @property
    def sub(self) -> str:
        return str(self.claims["sub"])

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(str(self.claims.get("scope", "")).split())


class Guard:
    """Judges the access tokens of one issuer for one API.

    `client_id` and `client_secret` are the API's own, for introspection. Without them the
    guard works offline: a token lives until it expires.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        http: httpx.Client | None = None,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.audience = audience
        self._issuer = issuer
        self._clock = clock
        client = http or httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)
        self._keys = IssuerKeys(issuer, client, clock)
        self._live: Liveness = Offline()
        if client_id is not None and client_secret is not None:
            self._live = Introspection(self._keys, client, client_id, client_secret)
        self._verified: OrderedDict[bytes, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, authorization: Sequence[str], scopes: Sequence[str]) -> Access:
        """Let a request through, or raise `Refused`.

        `authorization` holds every Authorization header of the request.
        """
        token = self._token(authorization)
        claims = self._claims(token)
        try:
            alive = self._live.alive(token, claims)
        except Unanswered:
            raise refused.unknown(self.audience) from None
        if not alive:
            raise refused.invalid(self.audience)
        access = Access(claims)
        if not set(scopes) <= access.scopes:
            raise refused.insufficient(self.audience, tuple(scopes))
        return access

    def _token(self, authorization: Sequence[str]) -> str:
        if len(authorization) > 1:
            raise refused.bad_request(self.audience)
        scheme, _, token = (authorization[0] if authorization else "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise refused.missing(self.audience)
        if len(token) > jose.LONGEST_TOKEN:
            raise refused.invalid(self.audience)
        return token

    def _claims(self, token: str) -> dict[str, Any]:
        """A token is verified once; its expiry is looked at every time (RSG-12)."""
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._verified.get(name)
        try:
            if claims is None:
                claims = self._verify(token)
                self._remember(name, claims)
            else:
                jose.check_times(claims, self._clock())
        except KeysUnknown:
            raise refused.unknown(self.audience) from None
        except jose.Unverifiable:
            self._verified.pop(name, None)
            raise refused.invalid(self.audience) from None
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        """RFC 9068 section 4: kind, signature, issuer, audience, time, and what must be there."""
        kid = jose.header_of(token).get("kid")
        claims = jose.verify(token, self._keys.verifiers(kid), ALGORITHMS, typ="at+jwt")
        jose.check_times(claims, self._clock())
        if claims.get("iss") != self._issuer or self.audience not in jose.audiences(claims):
            raise jose.Unverifiable("not for this API")
        if any(name not in claims for name in NEEDED):
            raise jose.Unverifiable("a claim is missing")
        return claims

    def _remember(self, name: bytes, claims: dict[str, Any]) -> None:
        with self._lock:
            self._verified[name] = claims
            while len(self._verified) > MOST_TOKENS:
                self._verified.popitem(last=False)
