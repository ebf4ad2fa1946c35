"""A refusal at an API, in the words of RFC 6750, RFC 9449, RFC 9470 and RFC 9728."""

import re
from dataclasses import dataclass

from idp.guard.needs import Need

_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")


class Refused(Exception):
    """The request is not let through. `headers` and `body` are the whole answer."""

    def __init__(
        self,
        status: int,
        error: str | None = None,
        *,
        challenge: str | None = None,
        retry_after: int | None = None,
        nonce: str | None = None,
    ) -> None:
        super().__init__(error or "no access token")
        self.status = status
        self.error = error
        self.challenge = challenge
        self.retry_after = retry_after
        self.nonce = nonce

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers of the answer, WWW-Authenticate among them."""
        found = [("Cache-Control", "no-store")]
        if self.challenge is not None:
            found.append(("WWW-Authenticate", self.challenge))
        if self.retry_after is not None:
            found.append(("Retry-After", str(self.retry_after)))
        if self.nonce is not None:
            found.append(("DPoP-Nonce", self.nonce))
        return found

    @property
    def body(self) -> dict[str, str]:
        """The answer as JSON: the error code, or nothing for who brought no token."""
        return {"error": self.error} if self.error else {}


@dataclass(frozen=True, slots=True)
class Challenges:
    """Makes refusals for one API. `algorithms` are those a proof may be signed with."""

    realm: str
    algorithms: tuple[str, ...]
    resource_metadata: str | None = None

    def __post_init__(self) -> None:
        for text in (self.realm, self.resource_metadata or "x"):
            if _QUOTABLE.fullmatch(text) is None:
                raise ValueError(f"{text!r} has characters that no challenge can carry")

    def missing(self, *, bound: bool) -> Refused:
        """No token: a challenge and nothing else (RFC 6750 section 3.1)."""
        return Refused(401, challenge=self._words(bound=bound))

    def bad_request(self) -> Refused:
        """Two ways at once, a token in the address, or a malformed header."""
        return self._refused(400, "invalid_request", bound=False)

    def invalid(self, *, bound: bool = False) -> Refused:
        """The token is not good, or no longer, or came without its proof."""
        return self._refused(401, "invalid_token", bound=bound)

    def invalid_proof(self) -> Refused:
        """The proof is not good (RFC 9449 section 7.1)."""
        return self._refused(401, "invalid_dpop_proof", bound=True)

    def use_nonce(self, nonce: str | None) -> Refused:
        """Try again with this nonce in the proof (RFC 9449 section 9)."""
        refused = self._refused(401, "use_dpop_nonce", bound=True)
        refused.nonce = nonce
        return refused

    def insufficient(self, need: Need, *, bound: bool) -> Refused:
        """The token is good, but not for this."""
        more = {"scope": need.scope} if need.scope else {}
        return self._refused(403, "insufficient_scope", bound=bound, **more)

    def step_up(self, need: Need, *, bound: bool) -> Refused:
        """The person must sign in again, or more strongly (RFC 9470 section 3)."""
        more = {"acr_values": " ".join(need.acr_values)} if need.acr_values else {}
        if need.max_age is not None:
            more["max_age"] = str(need.max_age)
        return self._refused(401, "insufficient_user_authentication", bound=bound, **more)

    def unknown(self) -> Refused:
        """Nobody can say whether the token is still good; unknown means no, for now."""
        return Refused(503, "temporarily_unavailable", retry_after=1)

    def _refused(self, status: int, error: str, *, bound: bool, **more: str) -> Refused:
        return Refused(status, error, challenge=self._words(bound=bound, error=error, **more))

    def _words(self, *, bound: bool, **parameters: str) -> str:
        said = {"realm": self.realm, **parameters}
        if bound:
            said["algs"] = " ".join(self.algorithms)
        if self.resource_metadata is not None:
            said["resource_metadata"] = self.resource_metadata
        scheme = "DPoP" if bound else "Bearer"
        return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in said.items())
