"""The device grant (RFC 8628 section 3.4): a device asks until a person has answered elsewhere."""

from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.domain.approvals import DEVICE
from idp.domain.metadata.members import DEVICE_CODE
from idp.protocol.approval import fetch
from idp.protocol.errors import InvalidRequest, UnauthorizedClient


class DeviceCode(BaseGrant, TokenEndpointMixin):
    """Gives the tokens that a person allowed a device."""

    GRANT_TYPE = DEVICE_CODE

    def validate_token_request(self) -> None:
        """The client, and that it may use this grant."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClient("the grant type is not registered for this client")
        if "device_code" not in self.request.payload.data:
            raise InvalidRequest("device_code is missing")
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens, or the refusal that says why there are none yet."""
        code, view = self.request.payload.data["device_code"], self.client.view
        body = fetch.tokens(DEVICE, code, self.request.original, view, self.server.op)
        return 200, body, self.TOKEN_RESPONSE_HEADER
