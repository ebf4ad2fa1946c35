"""The CIBA grant (OpenID CIBA Core section 10.1): an app polls, or was pinged, and fetches."""

from idp.domain.approvals import CIBA
from idp.domain.metadata import ciba
from idp.protocol.approval.grant import Polled


class Ciba(Polled):
    """Gives the tokens that a person allowed from their account page."""

    GRANT_TYPE = ciba.GRANT_TYPE
    KIND = CIBA
    HANDLE = "auth_req_id"
