"""Ways to prove who one is, and what a proof is worth."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

PASSWORD_ACR = "pwd"  # noqa: S105 - a name for an assurance
SECOND_FACTOR_ACR = "mfa"
PASSKEY_ACR = "phr"
ACR_VALUES = (PASSWORD_ACR, SECOND_FACTOR_ACR, PASSKEY_ACR)
"""What a sign-in can be worth, the weaker first; the stronger satisfies the weaker."""

ONE_TIME = ("otp", "mfa")
"""What a code adds to a password. A recovery code is one of a list of one-time passwords
(RFC 4949), so it is called what a code from an app is called (RFC 8176 section 2).
"""


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


def a_code_helps(acr: str, wanted: Sequence[str]) -> bool:
    """Whether a code is what lifts a proof of this worth to one that is wanted."""
    return not any(satisfies(acr, one) for one in wanted) and any(
        satisfies(SECOND_FACTOR_ACR, one) for one in wanted
    )


def and_a_code(proof: Proof) -> Proof:
    """The same sign-in, and a code on top. When it began is not moved: the code alone is no
    fresh sign-in.
    """
    amr = tuple(dict.fromkeys((*proof.amr, *ONE_TIME)))
    stronger = proof.acr if satisfies(proof.acr, SECOND_FACTOR_ACR) else SECOND_FACTOR_ACR
    return replace(proof, amr=amr, acr=stronger)
