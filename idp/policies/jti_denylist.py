"""A token is good unless it was listed as taken back."""

from dataclasses import replace
from typing import ClassVar

from idp.policies.model import (
    Asks,
    Deny,
    Draft,
    Effect,
    Ends,
    Live,
    Policy,
    Presented,
    Refuse,
    TokenFacts,
)


class JtiDenylist(Policy):
    """Tokens live until they expire, unless their `jti` has been listed.

    The list holds only tokens ended early, and each entry leaves when its token would have
    expired anyway, so it stays small without housekeeping.
    """

    name: ClassVar[str] = "jti_denylist"
    summary: ClassVar[str] = "Signed tokens that are good unless their jti was listed."
    asks: ClassVar[Asks] = Asks.FEED
    ends: ClassVar[Ends] = Ends.FEED
    for_access: ClassVar[bool] = True
    listable: ClassVar[bool] = True

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, tracked=True)

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        if live.denied(token.jti):
            return Refuse("listed")
        if self.name not in token.policies and not live.session_open(token):
            return Refuse("session over")  # minted before this policy was: nobody knows its jti
        return None

    def on_sign_out(self, token: TokenFacts) -> list[Effect]:
        return [Deny(token.jti, until=token.expires_at)]
