"""What an authenticator app must see of a new secret: a picture, and the same in letters."""

from dataclasses import dataclass

import segno

from idp.domain.accounts import Account
from idp.domain.login import totp
from idp.domain.second_factors import Enrolment
from idp.web.wire import provider

GROUP = 4


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code as the address of an image, the secret in groups of letters, and the address
    that opens an app on this very device.
    """

    image: str
    letters: str
    address: str


def picture(account: Account, enrolment: Enrolment) -> Picture:
    """Black on white whatever the page looks like, with the margin that cameras need."""
    secret = totp.shown(provider(), enrolment)
    address = totp.address(provider(), account, secret)
    image = segno.make_qr(address, error="m").svg_data_uri(
        scale=4, border=4, dark="#000", light="#fff"
    )
    groups = (secret[start : start + GROUP] for start in range(0, len(secret), GROUP))
    return Picture(image, " ".join(groups), address)
