"""The words every policy speaks. A policy is handed what it must know and decides; it never
looks anything up, and has no clock.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An access token about to be minted, as far as policies shape it."""

    lifetime: timedelta


class Policy:
    """Admits everything and remembers nothing; a policy overrides only what it changes."""

    name: ClassVar[str]
    ends_within: ClassVar[timedelta | None] = None
    """How long a token outlives a sign-out; None says: as its partner."""

    rotates: ClassVar[bool] = False
    """Whether a refresh token works once, and its successor after it."""

    def draft(self, draft: Draft) -> Draft:
        """Shape a token before it is minted."""
        return draft
