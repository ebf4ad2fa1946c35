"""Ways to prove who one is, and what a proof is worth."""

from dataclasses import dataclass
from datetime import datetime

PASSWORD_ACR = "pwd"  # noqa: S105 - a name for an assurance
PASSKEY_ACR = "phr"
ACR_VALUES = (PASSWORD_ACR, PASSKEY_ACR)
"""What a sign-in can be worth, the weaker first; the stronger satisfies the weaker."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody has proved who they are: how (`amr`, RFC 8176), how well (`acr`), and when."""

    account_id: str
    amr: tuple[str, ...]
    acr: str
    at: datetime


def satisfies(acr: str, wanted: str) -> bool:
    """Whether a proof of this worth is enough for what is wanted."""
    if wanted not in ACR_VALUES or acr not in ACR_VALUES:
        return acr == wanted
    return ACR_VALUES.index(acr) >= ACR_VALUES.index(wanted)
