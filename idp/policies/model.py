"""The words every policy speaks. A policy is handed what it must know and decides; it never
looks anything up, and has no clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import ClassVar, NamedTuple, Protocol


class Asks(IntEnum):
    """Who must be asked at each call, from nobody to the provider itself."""

    NOTHING = 0
    STATUS_LIST = 1  # a signed list, fetched now and then; a route may hold it to be enough
    FEED = 2
    LIST = 3  # the list of good tokens, in Redis; who cannot read it asks the provider
    PROVIDER = 4


class Ends(IntEnum):
    """How long a token outlives a sign-out; the smallest of several wins."""

    AT_ONCE = 0
    FEED = 1  # as fast as guards hear of it, and never later than their `max_silence`
    AT_EXPIRY = 2  # its remaining life, which the receipt states
    PARTNER = 3  # the policy says nothing of it: as the one it stands beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An access token about to be minted, as far as policies shape it."""

    lifetime: timedelta
    audiences: tuple[str, ...] = ()
    jkt: str | None = None
    x5t: str | None = None
    opaque: bool = False
    listed: bool = False
    tracked: bool = False
    minimal: bool = False


class TokenFacts(NamedTuple):
    """What an access token says, as far as policies judge by it. A tuple, because a guard makes
    one for each token: a frozen dataclass of so many fields takes 1 µs longer.
    """

    jti: str
    sub: str
    client_id: str
    audiences: frozenset[str]
    expires_at: datetime
    sid: str | None = None
    line: str | None = None
    generation: int | None = None
    jkt: str | None = None
    x5t: str | None = None
    policies: frozenset[str] = frozenset()
    """The policies it was minted under, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """How a token arrived: at which API, with a proof of which key, and over a connection with
    which certificate.
    """

    resource: str
    proven_jkt: str | None = None
    proven_x5t: str | None = None


class Live(Protocol):
    """Three questions about what is alive now. Whoever cannot say raises; it never guesses."""

    def allowed(self, jti: str) -> bool:
        """Whether this token still stands on the list of those that are good."""
        ...

    def denied(self, jti: str) -> bool:
        """Whether this token was taken back."""
        ...

    def session_open(self, token: TokenFacts) -> bool:
        """Whether the sign-in this token descends from is open: its session, line and person."""
        ...


@dataclass(frozen=True, slots=True)
class Refuse:
    """The token is not let through, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deny:
    """List a token as taken back until it would have expired."""

    jti: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Forget:
    """Strike a token from the list of those that are good."""

    jti: str


@dataclass(frozen=True, slots=True)
class Touch:
    """The session is in use: its idle end moves."""

    token: TokenFacts


Effect = Deny | Forget | Touch


class Unmintable(ValueError):
    """The policies do not allow such a token: an OAuth error code, and a sentence for the
    client.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Policy:
    """Admits everything and remembers nothing; a policy overrides only what it changes."""

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for a person who chooses."""

    asks: ClassVar[Asks] = Asks.NOTHING
    ends: ClassVar[Ends] = Ends.PARTNER

    for_lines: ClassVar[bool] = False
    """Whether a client may name it, for its refresh line."""

    for_access: ClassVar[bool] = False
    """Whether a resource may name it, for the access tokens addressed to it."""

    excludes: ClassVar[frozenset[str]] = frozenset()
    """Policies that contradict this one."""

    listable: ClassVar[bool] = False
    """Whether its tokens can stand in a status list: each is remembered, and taken back by name."""

    rotates: ClassVar[bool] = False
    """Whether a refresh token works once, and its successor after it."""

    binds: ClassVar[bool] = False
    """Whether tokens work only in the hands that hold a key."""

    alone: ClassVar[bool] = False
    """Whether a token is for one API only."""

    slides: ClassVar[bool] = False
    """Whether each use moves the idle end."""

    roles: ClassVar[bool] = False
    """Whether roles and permissions are looked up at each call, not carried."""

    def draft(self, draft: Draft) -> Draft:
        """Shape a token before it is minted; raises `Unmintable`."""
        return draft

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        """Judge a token whose signature, times and audience are good."""
        return None

    def on_use(self, token: TokenFacts) -> list[Effect]:
        """What a call that was let through leaves behind."""
        return []

    def on_sign_out(self, token: TokenFacts) -> list[Effect]:
        """What the end of its session or line does to one token."""
        return []
