"""The CIBA grant (OpenID CIBA Core section 10.1): an app polls, or was pinged, and fetches."""

from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.domain.approvals import CIBA
from idp.domain.metadata import ciba
from idp.protocol.approval import fetch
from idp.protocol.errors import InvalidRequest, UnauthorizedClient


class Ciba(BaseGrant, TokenEndpointMixin):
    """Gives the tokens that a person allowed from their account page."""

    GRANT_TYPE = ciba.GRANT_TYPE

    def validate_token_request(self) -> None:
        """The client, and that it may use this grant."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClient("the grant type is not registered for this client")
        if "auth_req_id" not in self.request.payload.data:
            raise InvalidRequest("auth_req_id is missing")
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens, or the refusal that says why there are none yet."""
        handle, view = self.request.payload.data["auth_req_id"], self.client.view
        body = fetch.tokens(CIBA, handle, self.request.original, view, self.server.op)
        return 200, body, self.TOKEN_RESPONSE_HEADER
