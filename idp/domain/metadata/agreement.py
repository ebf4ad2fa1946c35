"""Which members of client metadata must fit together (RFC 7591 sections 2 and 2.1).

Each rule raises `InvalidMetadata` where they do not; `RULES` names them all.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from idp.domain.metadata import certified, ciba, encryption, profiles, sectors
from idp.domain.metadata.members import ASSERTION_ALGS, GIVE_REFRESH_TOKENS
from idp.domain.metadata.operators import JWT_BEARER, TOKEN_EXCHANGE
from idp.domain.metadata.response_types import grants_for
from idp.domain.metadata.shapes import InvalidMetadata

Kept = Mapping[str, Any]


def agree(kept: Kept) -> None:
    """Raises `InvalidMetadata` for the first rule that is broken."""
    for rule in RULES:
        rule(kept)


def _grants_and_responses(kept: Kept) -> None:
    grants, responses = kept["grant_types"], kept["response_types"]
    from_there = {"authorization_code", "implicit"} & set(grants)
    if set(grants_for(responses)) != from_there:
        raise InvalidMetadata("grant_types and response_types do not fit together")
    if responses and not kept["redirect_uris"]:
        raise InvalidMetadata("redirect_uris is missing", "invalid_redirect_uri")
    if "refresh_token" in grants and not GIVE_REFRESH_TOKENS & set(grants):
        raise InvalidMetadata("refresh_token needs a grant type that gives one")


def _public_clients(kept: Kept) -> None:
    method = kept["token_endpoint_auth_method"]
    for grant_type in ("client_credentials", TOKEN_EXCHANGE, JWT_BEARER):
        if method == "none" and grant_type in kept["grant_types"]:
            raise InvalidMetadata(f"{grant_type} needs a client that can authenticate")


def _keys(kept: Kept) -> None:
    if "jwks" in kept and "jwks_uri" in kept:
        raise InvalidMetadata("jwks and jwks_uri must not be used together")
    method = kept["token_endpoint_auth_method"]
    if method == "private_key_jwt" and not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("private_key_jwt needs jwks or jwks_uri")


def _assertion_alg(kept: Kept) -> None:
    alg = kept.get("token_endpoint_auth_signing_alg")
    fitting = ASSERTION_ALGS.get(kept["token_endpoint_auth_method"], ())
    if alg is not None and alg not in fitting:
        raise InvalidMetadata("token_endpoint_auth_signing_alg does not fit the method")


def _frontchannel(kept: Kept) -> None:
    """Its address is where people come back to, by scheme, host and port (Front-Channel Logout
    1.0 section 2): nobody else is loaded into the last page.
    """
    address = kept.get("frontchannel_logout_uri")
    if address is not None and _origin(address) not in map(_origin, kept["redirect_uris"]):
        raise InvalidMetadata("frontchannel_logout_uri is not where a redirect URI is")


def _origin(uri: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(uri)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _signed_requests(kept: Kept) -> None:
    signs = kept.get("require_signed_request_object") or "request_object_signing_alg" in kept
    if signs and not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("signed request objects need jwks or jwks_uri")


RULES: tuple[Callable[[Kept], None], ...] = (
    _grants_and_responses,
    _public_clients,
    _keys,
    _assertion_alg,
    certified.agree,
    profiles.agree,
    _frontchannel,
    _signed_requests,
    ciba.agree,
    sectors.agree,
    encryption.agree,
)
