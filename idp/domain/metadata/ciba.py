"""What a client that asks without a browser says about itself (OpenID CIBA Core section 4)."""

from collections.abc import Callable, Mapping
from typing import Any

from idp.domain.metadata.shapes import InvalidMetadata, one_of

GRANT_TYPE = "urn:openid:params:grant-type:ciba"
DELIVERY_MODES = ("poll", "ping")
REQUEST_ALGS = ("ES256", "PS256")
"""The algorithms of signed requests: those of FAPI-CIBA (section 5.2.2, FAPI part 2 8.6)."""


def _user_code(name: str, value: object) -> bool:
    if value is not False:
        raise InvalidMetadata(f"{name} is not supported")
    return False


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "backchannel_token_delivery_mode": one_of(*DELIVERY_MODES),
    "backchannel_authentication_request_signing_alg": one_of(*REQUEST_ALGS),
    "backchannel_user_code_parameter": _user_code,
}


def agree(kept: Mapping[str, Any]) -> None:
    """Whoever has the grant can authenticate, and says how it wants its tokens."""
    if GRANT_TYPE not in kept["grant_types"]:
        return
    if kept["token_endpoint_auth_method"] == "none":  # noqa: S105 - a method
        raise InvalidMetadata("CIBA needs a client that can authenticate")
    mode = kept.get("backchannel_token_delivery_mode")
    if mode is None:
        raise InvalidMetadata("backchannel_token_delivery_mode is missing")
    if mode == "ping" and "backchannel_client_notification_endpoint" not in kept:
        raise InvalidMetadata("backchannel_client_notification_endpoint is missing")
    if not signs_requests(kept):
        return
    if not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("signed requests need jwks or jwks_uri")
    if kept.get("token_endpoint_auth_signing_alg") not in (None, *REQUEST_ALGS):
        raise InvalidMetadata("token_endpoint_auth_signing_alg is weaker than signed requests")


def signs_requests(details: Mapping[str, Any]) -> bool:
    """Whether a client keeps to FAPI-CIBA: it signs its requests, and we hold it to that."""
    return "backchannel_authentication_request_signing_alg" in details


def audiences(details: Mapping[str, Any], *origins: str) -> set[str]:
    """The names beside the issuer's by which a client with the grant may mean us in its
    assertions: the two endpoints it calls (CIBA Core section 7.1).
    """
    if GRANT_TYPE not in details["grant_types"]:
        return set()
    return {origin + path for origin in origins if origin for path in ("/token", "/bc-authorize")}
