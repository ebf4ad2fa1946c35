"""A grant whose client comes back until a person has answered elsewhere."""

from typing import Any

from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from idp.protocol.approval import fetch
from idp.protocol.errors import InvalidRequest, UnauthorizedClient
from idp.protocol.grant import Ours


class Polled(Ours, BaseGrant, TokenEndpointMixin):
    """A grant says which kind of request it fetches, and which parameter names it."""

    KIND: str
    HANDLE: str

    def validate_token_request(self) -> None:
        """The client, and that it may use this grant."""
        client = self.authenticate_token_endpoint_client()
        if not client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClient("the grant type is not registered for this client")
        if self.HANDLE not in self.request.payload.data:
            raise InvalidRequest(f"{self.HANDLE} is missing")
        self.request.client = client

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        """The tokens, or the refusal that says why there are none yet."""
        handle = self.request.payload.data[self.HANDLE]
        body = fetch.tokens(self.KIND, handle, self.original, self.view, self.op)
        return 200, body, self.TOKEN_RESPONSE_HEADER
