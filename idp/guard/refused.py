"""A refusal at an API, as RFC 6750 section 3 words it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused(Exception):
    """The request is not let through. `challenge` goes into WWW-Authenticate."""

    status: int
    error: str | None
    challenge: str
    retry_after: int | None = None

    def __str__(self) -> str:
        return self.error or "no access token"


def missing(realm: str) -> Refused:
    """No token: a challenge and nothing else (RFC 6750 section 3.1)."""
    return Refused(401, None, f'Bearer realm="{realm}"')


def bad_request(realm: str) -> Refused:
    """Two ways at once, or a malformed header."""
    return Refused(400, "invalid_request", f'Bearer realm="{realm}", error="invalid_request"')


def invalid(realm: str) -> Refused:
    """The token is not good, or no longer."""
    return Refused(401, "invalid_token", f'Bearer realm="{realm}", error="invalid_token"')


def insufficient(realm: str, scopes: tuple[str, ...]) -> Refused:
    """The token is good, but not for this."""
    wanted = " ".join(scopes)
    return Refused(
        403,
        "insufficient_scope",
        f'Bearer realm="{realm}", error="insufficient_scope", scope="{wanted}"',
    )


def unknown(realm: str) -> Refused:
    """Nobody can say whether the token is still good; unknown means no, for now."""
    return Refused(503, "temporarily_unavailable", f'Bearer realm="{realm}"', retry_after=1)
