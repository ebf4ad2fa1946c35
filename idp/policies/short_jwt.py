"""Nothing is remembered; a token that is out stays out for a few minutes."""

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from idp.policies.model import Draft, Ends, Policy

LONGEST = timedelta(minutes=15)


class ShortJwt(Policy):
    """A signed token that any API can judge alone, and that nobody can take back.

    Sign-out deletes the refresh line; what is out runs out, and the receipt says when.
    """

    name: ClassVar[str] = "short_jwt"
    summary: ClassVar[str] = "Short-lived signed tokens; the refresh line ends, tokens run out."
    ends: ClassVar[Ends] = Ends.AT_EXPIRY
    for_access: ClassVar[bool] = True

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, lifetime=min(draft.lifetime, LONGEST))
