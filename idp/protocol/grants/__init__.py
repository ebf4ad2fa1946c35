"""`GRANTS`: one file for each grant_type. They do not know each other."""

from idp.protocol.grants.authorization_code import AuthorizationCode
from idp.protocol.grants.ciba import Ciba
from idp.protocol.grants.client_credentials import ClientCredentials
from idp.protocol.grants.device_code import DeviceCode
from idp.protocol.grants.jwt_bearer import JwtBearer
from idp.protocol.grants.refresh_token import RefreshToken
from idp.protocol.grants.token_exchange import TokenExchange

GRANTS = (
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    TokenExchange,
    DeviceCode,
    Ciba,
    JwtBearer,
)
