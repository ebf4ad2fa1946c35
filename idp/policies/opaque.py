"""A handle that says nothing; only the provider can read it."""

from dataclasses import replace
from typing import ClassVar

from idp.policies.model import (
    Asks,
    Draft,
    Effect,
    Ends,
    Forget,
    Live,
    Policy,
    Presented,
    Refuse,
    TokenFacts,
)


class Opaque(Policy):
    """The token is a random handle, and each API asks what it stands for (RFC 7662)."""

    name: ClassVar[str] = "opaque"
    summary: ClassVar[str] = "Random handles; the API asks the provider what they stand for."
    asks: ClassVar[Asks] = Asks.PROVIDER
    ends: ClassVar[Ends] = Ends.AT_ONCE
    for_access: ClassVar[bool] = True
    excludes: ClassVar[frozenset[str]] = frozenset(
        {"short_jwt", "allow_list", "jti_denylist", "session_state"}
    )

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, opaque=True, listed=True, tracked=True)

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if live.allowed(token.jti) else Refuse("ended")

    def on_sign_out(self, token: TokenFacts) -> list[Effect]:
        return [Forget(token.jti)]
