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
    signs = "backchannel_authentication_request_signing_alg" in kept
    if signs and not ("jwks" in kept or "jwks_uri" in kept):
        raise InvalidMetadata("signed requests need jwks or jwks_uri")
