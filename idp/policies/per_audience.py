"""One token per resource, good there and nowhere else (RFC 8707)."""

from typing import ClassVar

from idp.policies.model import Draft, Live, Policy, Presented, Refuse, TokenFacts, Unmintable


class PerAudience(Policy):
    """A client that calls several APIs holds one token for each, with its own life and its own
    revocation: taking one back leaves the others alone.
    """

    name: ClassVar[str] = "per_audience"
    summary: ClassVar[str] = "A token of its own for each API; no API can use another's."
    for_lines: ClassVar[bool] = True
    for_access: ClassVar[bool] = True
    alone: ClassVar[bool] = True

    def draft(self, draft: Draft) -> Draft:
        if len(draft.audiences) != 1:
            raise Unmintable(
                "invalid_target", "ask for one resource at a time: each has a token of its own"
            )
        return draft

    def check(self, token: TokenFacts, seen: Presented, live: Live) -> Refuse | None:
        return None if token.audiences == {seen.resource} else Refuse("another audience")
