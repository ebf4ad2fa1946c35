"""The clients of the FAPI-CIBA plan: they register themselves, or are known beforehand, with
the keys of the two client certificates.
"""

import base64
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import RSAKey

from certify.setup import Certificates, Setup

Json = dict[str, Any]

GRANT = "urn:openid:params:grant-type:ciba"
MODES = ("poll", "ping")
METHODS = ("private_key_jwt", "self_signed_tls_client_auth")
NUMBERS = (1, 2)
HINT = {"hint_type": "login_hint", "hint_value": "foo"}


def kinds() -> Mapping[str, Callable[[Setup, Certificates], tuple[Json, Json]]]:
    """Every client by its name: what is registered, and what only the suite knows."""
    return {
        f"ciba-{mode}-{method}-{number}": partial(_client, mode, method, number)
        for mode, method, number in product(MODES, METHODS, NUMBERS)
    }


def files() -> Mapping[str, Mapping[str, str]]:
    """Every file for the suite; what its clients register themselves with is in it, too."""
    return {
        name: {"client": f"{name}-1", "client2": f"{name}-2"}
        for name in (f"ciba-{mode}-{method}" for mode, method in product(MODES, METHODS))
    }


def told(name: str, setup: Setup) -> Json:
    """Where a person's answer is given for them, and the API that asks for certificates."""
    if not name.startswith("ciba-"):
        return {}
    sim = f"{setup.issuer}/test/ciba-sim?auth_req_id={{auth_req_id}}&action={{action}}"
    return {
        "automated_ciba_approval_url": sim,
        "resource": {"resourceUrl": f"{setup.mtls_origin}/resource"},
    }


def _client(
    mode: str, method: str, number: int, setup: Setup, certificates: Certificates
) -> tuple[Json, Json]:
    pair = certificates.clients[number - 1]
    named: Json = {"kid": f"client-{number}", "alg": "PS256", "use": "sig"}
    made: Json = dict(RSAKey.import_key(pair.key.read_bytes()).as_dict(private=True))
    key = RSAKey.import_key(made | named)
    shown = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    x5c = {"x5c": [base64.b64encode(shown.public_bytes(Encoding.DER)).decode()]}
    details: Json = {
        "client_name": f"Suite, CIBA, {mode}, {method}, {number}",
        "jwks": {"keys": [key.as_dict(private=False) | x5c]},
        "grant_types": [GRANT, "refresh_token"],
        "response_types": [],
        "backchannel_token_delivery_mode": mode,
        "backchannel_user_code_parameter": False,
        "backchannel_authentication_request_signing_alg": "PS256",
        "id_token_signed_response_alg": "PS256",
        "token_endpoint_auth_method": method,
        "tls_client_certificate_bound_access_tokens": True,
        "scope": "openid offline_access",
    }
    if mode == "ping":
        notified = f"{setup.base}/ciba-notification-endpoint"
        details["backchannel_client_notification_endpoint"] = notified
    if method == "private_key_jwt":
        details |= {"token_endpoint_auth_signing_alg": "PS256"}
    private = {"jwks": {"keys": [key.as_dict(private=True) | x5c]}}
    return details, private | HINT | {"scope": "openid"}
