"""Names of people that mean something in one sector only (OpenID Connect Core section 8.1).

A name is the account's own, encrypted under a key of ours with the sector as associated data:
always the same for one person in one sector, different in every other, and nobody without the
key can tell that two belong together, or make one up. We can read ours again.
"""

import base64
import binascii
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Sector:
    """Apps that belong together, and know people by the same names."""

    name: str
    key: bytes = field(repr=False)

    def name_of(self, account_id: str) -> str:
        """What the apps of this sector call a person."""
        sealed = AESSIV(self.key).encrypt(account_id.encode(), [self.name.encode()])
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def account_of(self, name: str) -> str | None:
        """Who is meant by a name of this sector; None for any other text."""
        if len(name) > LONGEST_NAME or not name.isascii():
            return None
        try:
            sealed = base64.b64decode(name + "=" * (-len(name) % 4), altchars=b"-_", validate=True)
            account_id = AESSIV(self.key).decrypt(sealed, [self.name.encode()]).decode()
        except (binascii.Error, InvalidTag, ValueError):
            return None
        return account_id if self.name_of(account_id) == name else None
