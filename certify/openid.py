"""The static clients of the OpenID Connect plans (conformance C.6)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from certify.setup import Certificates, Setup

Json = dict[str, Any]

SCOPES = "openid profile email address phone offline_access"
RESPONSE_TYPES = [
    "code",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
]
STATIC = {"client": "basic", "client2": "basic2", "client_secret_post": "post"}


def kinds() -> Mapping[str, Callable[[Setup, Certificates], tuple[Json, Json]]]:
    """Every client by its name: what is registered, and what only the suite knows."""
    return {
        "basic": partial(_client, "client_secret_basic"),
        "basic2": partial(_client, "client_secret_basic"),
        "post": partial(_client, "client_secret_post"),
        "certificate": _by_certificate,
    }


def files() -> Mapping[str, Mapping[str, str]]:
    """Every file for the suite, and the clients that are put there."""
    return {"openid-dynamic": {}, "openid-static": STATIC, "certificate": {"client": "certificate"}}


def told(_name: str, _setup: Setup) -> Json:
    """Nothing besides."""
    return {}


def _client(method: str, setup: Setup, _: Certificates) -> tuple[Json, Json]:
    base = setup.base
    return {
        "client_name": f"Suite, {method}",
        "redirect_uris": [f"{base}/callback"],
        "post_logout_redirect_uris": [f"{base}/post_logout_redirect"],
        "backchannel_logout_uri": f"{base}/backchannel_logout",
        "backchannel_logout_session_required": True,
        "frontchannel_logout_uri": f"{base}/frontchannel_logout",
        "frontchannel_logout_session_required": True,
        "response_types": RESPONSE_TYPES,
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "token_endpoint_auth_method": method,
        "scope": SCOPES,
    }, {}


def _by_certificate(_: Setup, __: Certificates) -> tuple[Json, Json]:
    """One that proves itself with the certificate of the file `client.pem`."""
    return {
        "client_name": "Suite, certificate",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=client",
        "tls_client_certificate_bound_access_tokens": True,
    }, {}
