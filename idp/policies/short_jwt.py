"""Nothing is remembered; a token that is out stays out, for minutes."""

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from idp.policies.model import Draft, Policy


class ShortJwt(Policy):
    """A signed token that any API can judge alone, and that nobody can take back.

    Sign-out deletes the refresh line; what is out runs out, and the receipt says when.
    """

    name: ClassVar[str] = "short_jwt"
    ends_within: ClassVar[timedelta | None] = timedelta(minutes=15)

    def draft(self, draft: Draft) -> Draft:
        return replace(draft, lifetime=min(draft.lifetime, timedelta(minutes=15)))
