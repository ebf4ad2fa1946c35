"""Front-channel logout: apps that the browser itself asks, from the last page of a sign-out.

OpenID Connect Front-Channel Logout 1.0. Nothing comes back: a frame that was loaded does not
say what the app did, and a browser that keeps cookies from frames lets it do nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from idp.domain import Provider
from idp.domain.receipts import ASKED
from idp.domain.sign_out import Receipt


@dataclass(frozen=True, slots=True)
class Frame:
    """One app to be asked, and the address that does it."""

    name: str
    address: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc}"


def frames(op: Provider, receipts: Iterable[Receipt]) -> list[Frame]:
    """The apps that these sign-outs ask through the browser."""
    found = []
    for receipt in receipts:
        asked = [row for row in op.sign_outs.receipts.lines(receipt.id) if row.state == ASKED]
        for row in asked:
            participation = op.sessions.participation(row.reference)
            uri = participation.frontchannel_logout_uri if participation is not None else None
            if uri is not None:
                found.append(Frame(row.name, _named(uri, op.rules.issuer, row.reference)))
    return found


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it."""
    return {
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }


def _named(uri: str, issuer: str, sid: str) -> str:
    """The address with the session it is about; both parameters or none (section 3)."""
    joined = "&" if urlsplit(uri).query else "?"
    return uri.removesuffix("?") + joined + urlencode({"iss": issuer, "sid": sid})
