"""The static clients of a certification run, and what the suite has to know of each.

A kind of client is a function from the setup to what is registered and what only the suite
knows; `KINDS` is all of them. A plan names the two or three it needs in `suite.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from certify import fapi
from certify.setup import Certificates, Setup
from idp.domain import Provider

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is registered, and what the suite is told besides: its private keys."""

    details: Json
    private: Json = field(default_factory=dict)


Kind = Callable[[Setup, Certificates], Wanted]

ALL_SCOPES = "openid profile email address phone offline_access"
RESPONSE_TYPES = [
    "code",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
]


def _openid(setup: Setup, method: str) -> Wanted:
    """For the plans of OpenID Connect (conformance C.6)."""
    base = setup.base
    return Wanted(
        {
            "client_name": f"Suite, {method}",
            "redirect_uris": [f"{base}/callback"],
            "post_logout_redirect_uris": [f"{base}/post_logout_redirect"],
            "backchannel_logout_uri": f"{base}/backchannel_logout",
            "backchannel_logout_session_required": True,
            "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": method,
            "scope": ALL_SCOPES,
        }
    )


def basic(setup: Setup, certificates: Certificates) -> Wanted:
    """`client` and `client2` of every plan with static clients."""
    return _openid(setup, "client_secret_basic")


def post(setup: Setup, certificates: Certificates) -> Wanted:
    """The one of the module server-client-secret-post."""
    return _openid(setup, "client_secret_post")


def by_certificate(setup: Setup, certificates: Certificates) -> Wanted:
    """One that proves itself with the certificate of the file `client.pem`."""
    return Wanted(
        {
            "client_name": "Suite, certificate",
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_subject_dn": "CN=client",
            "tls_client_certificate_bound_access_tokens": True,
        }
    )


KINDS: Mapping[str, Kind] = {
    "basic": basic,
    "basic2": basic,
    "post": post,
    "certificate": by_certificate,
}


def add(op: Provider, setup: Setup, certificates: Certificates, now: datetime) -> dict[str, Json]:
    """Register them all; what the suite is told of each, by its kind."""
    told = {}
    fapi.add_api(op, setup, now)
    made = {name: kind(setup, certificates) for name, kind in KINDS.items()}
    made |= {name: Wanted(*kind(setup, certificates)) for name, kind in fapi.kinds().items()}
    for name, wanted in made.items():
        view, secret = op.clients.add(wanted.details, now=now)
        known: Json = {"client_id": view.client_id, "scope": wanted.details.get("scope", "")}
        if secret is not None:
            known["client_secret"] = secret
        told[name] = known | wanted.private
    return told
