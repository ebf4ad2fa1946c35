"""A refresh token works once; a second use ends its line."""

from typing import ClassVar

from idp.policies.model import Policy


class Rotation(Policy):
    """Every refresh gives a successor, so that a copy gives itself away (RFC 9700 4.14.2)."""

    name: ClassVar[str] = "rotation"
    summary: ClassVar[str] = "Refresh tokens work once; one that comes back ends its line."
    for_lines: ClassVar[bool] = True
    rotates: ClassVar[bool] = True
