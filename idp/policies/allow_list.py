"""A token is good only while it is listed."""

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


class AllowList(Policy):
    """Every token stands on a list, and is good only while it does.

    The list is as long as there are tokens out, and each entry leaves when its token expires.
    Who cannot read the list asks the provider; what is not on it is refused.
    """

    name: ClassVar[str] = "allow_list"
    summary: ClassVar[str] = "Signed tokens that are good only while they are listed."
    asks: ClassVar[Asks] = Asks.LIST
    ends: ClassVar[Ends] = Ends.AT_ONCE
    for_access: ClassVar[bool] = True
    excludes: ClassVar[frozenset[str]] = frozenset({"jti_denylist"})

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, listed=True, tracked=True)

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if live.allowed(token.jti) else Refuse("not listed")

    def on_sign_out(self, token: TokenFacts) -> list[Effect]:
        return [Forget(token.jti)]
