"""The static clients of the FAPI 2.0 plans (conformance C.6): a pair for each way of being
authenticated and of being bound, all of them held to the profile.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any

from joserfc.jwk import RSAKey

from certify.setup import Certificates, Setup
from idp.domain import Provider

Json = dict[str, Any]

API_SCOPE = "accounts"
OPENID = f"openid {API_SCOPE}"
AUTHS = ("private_key_jwt", "mtls")
CONSTRAINTS = ("dpop", "mtls")
DUMMIES = ("", "?dummy1=lorem&dummy2=ipsum")
NUMBERS = (1, 2)
MACHINE = "client-credentials"
SIGNED = "signed"
JARM = "signed-jarm"


def kinds() -> Mapping[str, Callable[[Setup, Certificates], tuple[Json, Json]]]:
    """Every client by its name: what is registered, and what only the suite knows."""
    return {
        f"{name}-{number}": partial(_client, auth, constraint, flavour, number)
        for name, auth, constraint, flavour in _plans()
        for number in NUMBERS
    }


def files() -> Mapping[str, Mapping[str, str]]:
    """Every file for the suite, and the clients that are put there."""
    return {name: {"client": f"{name}-1", "client2": f"{name}-2"} for name, *_ in _plans()}


def add_api(op: Provider, setup: Setup, now: datetime) -> None:
    """The API that the plans call."""
    scopes = {API_SCOPE: "See your accounts"}
    op.resources.add(f"{setup.issuer}/resource", "Accounts", scopes, (), now)


def told(name: str, setup: Setup) -> Json:
    """What a plan of these clients is told besides: where the API asks for certificates."""
    if not name.startswith("fapi2-"):
        return {}
    at = setup.mtls_origin if name.split(".")[1] == "mtls" else setup.issuer
    return {"resource": {"resourceUrl": f"{at}/resource"}}


def _plans() -> list[tuple[str, str, str, str]]:
    found = []
    for flavour, auth, constraint in product(("", SIGNED, JARM, MACHINE), AUTHS, CONSTRAINTS):
        kind = "fapi2-" + (f"{flavour}-" if flavour else "")
        found.append((f"{kind}{auth}.{constraint}", auth, constraint, flavour))
    return found


def _client(
    auth: str,
    constraint: str,
    flavour: str,
    number: int,
    setup: Setup,
    certificates: Certificates,
) -> tuple[Json, Json]:
    key = RSAKey.generate_key(2048, {"kid": f"client-{number}", "alg": "PS256", "use": "sig"})
    details: Json = {
        "client_name": f"Suite, FAPI 2.0, {auth}, {constraint}, {number}",
        "profile": "fapi2_message_signing" if flavour == JARM else "fapi2",
        "require_signed_request_object": flavour in (SIGNED, JARM),
        "jwks": {"keys": [key.as_dict(private=False)]},
        "id_token_signed_response_alg": "PS256",
        "authorization_signed_response_alg": "PS256",
        "scope": API_SCOPE if flavour == MACHINE else f"{OPENID} offline_access",
        _BOUND[constraint]: True,
    }
    details |= _machine() if flavour == MACHINE else _with_people(setup, number)
    if auth == "mtls":
        name = certificates.clients[number - 1].certificate.stem
        details |= {"token_endpoint_auth_method": "tls_client_auth"}
        details |= {"tls_client_auth_subject_dn": f"CN={name}"}
    else:
        details |= {"token_endpoint_auth_method": "private_key_jwt"}
    scope = API_SCOPE if flavour == MACHINE else OPENID
    return details, {"scope": scope, "jwks": {"keys": [key.as_dict(private=True)]}}


def _machine() -> Json:
    return {"grant_types": ["client_credentials"], "response_types": []}


def _with_people(setup: Setup, number: int) -> Json:
    return {
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [f"{setup.base}/callback{DUMMIES[number - 1]}"],
    }


_BOUND = {
    "dpop": "dpop_bound_access_tokens",
    "mtls": "tls_client_certificate_bound_access_tokens",
}
