"""A sign-in lives while it is used, up to a hard end."""

from typing import ClassVar

from idp.policies.model import (
    Asks,
    Effect,
    Ends,
    Live,
    Policy,
    Presented,
    Refuse,
    TokenFacts,
    Touch,
)


class Sliding(Policy):
    """Each use moves the idle end of the session and of the line; the absolute end stays.

    The provider is asked at each call, and writes a use down at most once per interval.
    """

    name: ClassVar[str] = "sliding"
    summary: ClassVar[str] = "Lives while it is used, up to a hard end; each use is noticed."
    asks: ClassVar[Asks] = Asks.PROVIDER
    ends: ClassVar[Ends] = Ends.AT_ONCE
    for_lines: ClassVar[bool] = True
    for_access: ClassVar[bool] = True
    slides: ClassVar[bool] = True

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if live.session_open(token) else Refuse("session over")

    def on_use(self, token: TokenFacts) -> list[Effect]:
        return [Touch(token)]
