"""The members of client metadata that we know, each with the shape it must have."""

from collections.abc import Callable
from typing import Any

from idp.crypto import jose
from idp.domain.metadata import certified, ciba, encryption, profiles, response_types, sectors
from idp.domain.metadata.operators import JWT_BEARER, TOKEN_EXCHANGE, exchange_right, party
from idp.domain.metadata.shapes import boolean, jwks, one_of, seconds, some_of, strings, text

AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    *certified.METHODS,
    "none",
)
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = (
    "authorization_code",
    "implicit",
    "refresh_token",
    "client_credentials",
    TOKEN_EXCHANGE,
    JWT_BEARER,
    DEVICE_CODE,
    ciba.GRANT_TYPE,
)
GIVE_REFRESH_TOKENS = {"authorization_code", DEVICE_CODE, ciba.GRANT_TYPE}
ASSERTION_ALGS = {
    "private_key_jwt": jose.ASYMMETRIC,
    "client_secret_jwt": ("HS256", "HS384", "HS512"),
}

WEB_URIS = (
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "jwks_uri",
    "sector_identifier_uri",
    "initiate_login_uri",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "backchannel_client_notification_endpoint",
)

CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "client_name": text,
    "application_type": one_of("web", "native"),
    "token_endpoint_auth_method": one_of(*AUTH_METHODS),
    "token_endpoint_auth_signing_alg": one_of(*jose.ASYMMETRIC, "HS256", "HS384", "HS512"),
    "grant_types": some_of(*GRANT_TYPES),
    "response_types": response_types.known,
    "scope": text,
    "contacts": strings,
    "jwks": jwks,
    **sectors.CHECKS,
    **encryption.CHECKS,
    "id_token_signed_response_alg": one_of(*jose.OUR_ALGORITHMS),
    "userinfo_signed_response_alg": one_of(*jose.OUR_ALGORITHMS),
    "introspection_signed_response_alg": one_of(*jose.OUR_ALGORITHMS),
    "default_max_age": seconds,
    "require_auth_time": boolean,
    "default_acr_values": strings,
    "software_id": text,
    "software_version": text,
    "backchannel_logout_session_required": boolean,
    "frontchannel_logout_session_required": boolean,
    "session_expiry": boolean,
    "dpop_bound_access_tokens": boolean,
    "request_object_signing_alg": one_of(*jose.ASYMMETRIC),
    "authorization_signed_response_alg": one_of(*jose.OUR_ALGORITHMS),
    "authorization_details_types": strings,
    "require_signed_request_object": boolean,
    "require_pushed_authorization_requests": boolean,
    **certified.CHECKS,
    "profile": one_of(*profiles.PROFILES),
    "assertion_audience": one_of("issuer", "token_endpoint"),
    "token_exchange": exchange_right,
    "may_act": party,
    **ciba.CHECKS,
}
