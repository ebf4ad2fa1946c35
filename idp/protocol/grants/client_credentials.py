"""The client credentials grant (RFC 6749 section 4.4): a client acts for itself."""

from typing import Any

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from idp.protocol.claims import OPENID_SCOPES, aim, client_access_token
from idp.protocol.errors import InvalidScope, InvalidTarget, UnauthorizedClient
from idp.protocol.own_scopes import granted
from idp.protocol.possession import proven, token_type


class ClientCredentials(ClientCredentialsGrant):
    """Gives an access token that has no person in it, and no refresh token."""

    def validate_token_request(self) -> None:
        super().validate_token_request()
        if self.client.view.public:
            raise UnauthorizedClient("the client cannot authenticate")

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        op, original = self.server.op, self.request.original
        view = self.client.view
        asked = original.parameters.all("resource")
        rows = op.resources.named(asked) if asked else op.resources.list()
        if asked and len(rows) != len(set(asked)):
            raise InvalidTarget("the resource is not known")
        wanted = tuple(dict.fromkeys((self.request.payload.scope or "").split()))
        known = {*granted(view), *(scope for row in rows for scope in row.scopes)}
        if any(scope in OPENID_SCOPES or scope not in known for scope in wanted):
            raise InvalidScope("the scope is not one a client can have for itself")
        if view.scopes is not None and not set(wanted) <= view.scopes:
            raise InvalidScope("the scope is not one this client may ask for")
        if not asked and wanted:
            asked = tuple(row.identifier for row in rows if set(wanted) & set(row.scopes))
        held = proven(original, op, view)
        aimed = aim(op, view, wanted, asked, asked, held)
        minted = client_access_token(op, view, aimed, original.now)
        body: dict[str, Any] = {
            "access_token": minted.value,
            "token_type": token_type(held),
            "expires_in": minted.expires_in,
        }
        if aimed.scopes:
            body["scope"] = " ".join(aimed.scopes)
        return 200, body, self.TOKEN_RESPONSE_HEADER
