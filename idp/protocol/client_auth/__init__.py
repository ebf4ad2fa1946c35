"""How a client proves who it is: one method a request, and only the one it is registered for.

`METHODS` holds one file for each family. A wrong secret, an unknown client and a disabled one
are refused alike (CLA-06).
"""

import math

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.throttle import Throttled, network
from idp.protocol.arrivals import arriving
from idp.protocol.client_auth import assertion, certificate, secret
from idp.protocol.client_auth.credentials import Presented
from idp.protocol.errors import InvalidClient, InvalidRequest, SlowDown
from idp.protocol.messages import OAuthRequest

METHODS = (secret, assertion, certificate)

BASIC_CHALLENGE = (("WWW-Authenticate", 'Basic realm="idp", charset="UTF-8"'),)


def supported(op: Provider) -> list[str]:
    """The methods that work here, as discovery names them."""
    certified = [
        *(["tls_client_auth"] if op.rules.authorities is not None else []),
        *(["self_signed_tls_client_auth"] if op.rules.mtls else []),
    ]
    by_message = [name for family in (secret, assertion) for name in family.NAMES]
    return [*by_message, *certified, "none"]


def authenticate(request: OAuthRequest, op: Provider) -> ClientView:
    """The client that sent this request (RFC 6749 section 2.3); raises `InvalidClient`."""
    presented = _presented(request)
    headers = BASIC_CHALLENGE if presented.method == "client_secret_basic" else ()
    _refuse_guesser(presented, request, op)
    view = op.clients.find(presented.client_id) or arriving(presented.client_id, request, op)
    if view is None or not view.enabled or not presented.fits(view):
        _count_failure(presented, request, op)
        if not presented.method.endswith("_jwt"):
            op.clients.check_secret(view or _NOBODY, presented.proof, request.now)
        raise InvalidClient("client authentication failed", headers=headers)
    if not view.public:
        if not _proved(view, presented, request, op):
            _count_failure(presented, request, op)
            raise InvalidClient("client authentication failed", headers=headers)
    return view


def _proved(view: ClientView, presented: Presented, request: OAuthRequest, op: Provider) -> bool:
    for family in METHODS:
        if view.auth_method in family.NAMES:
            return family.proves(view, presented, op, request.now)
    return False


def _presented(request: OAuthRequest) -> Presented:
    """The one way the request authenticates; two ways at once are refused (CLA-02)."""
    found = [way for family in METHODS for way in family.presented(request)]
    if len(found) > 1:
        raise InvalidRequest("more than one way of client authentication")
    body_id = request.parameters.get("client_id")
    if not found:
        if body_id is None:
            raise InvalidClient("client authentication is missing", headers=BASIC_CHALLENGE)
        return Presented("none", body_id, "", request.certificate)
    if body_id is not None and body_id != found[0].client_id:
        raise InvalidClient("client authentication failed", reason="two client ids")
    return found[0]


def _count_failure(presented: Presented, request: OAuthRequest, op: Provider) -> None:
    """Guessing gets slower for this source at this client; the client itself works on."""
    try:
        op.throttle.failed("client", _source(presented, request), request.now)
    except Throttled as error:
        raise _slow_down(error) from None


def _refuse_guesser(presented: Presented, request: OAuthRequest, op: Provider) -> None:
    """Who guessed too often does not learn which guess was right (CLA-07)."""
    try:
        op.throttle.barred("client", _source(presented, request), request.now)
    except Throttled as error:
        raise _slow_down(error) from None


def _source(presented: Presented, request: OAuthRequest) -> str:
    return f"{presented.client_id}|{network(request.address)}"


def _slow_down(error: Throttled) -> SlowDown:
    wait = str(max(1, math.ceil(error.retry_after.total_seconds())))
    return SlowDown("too many failed tries", headers=(("Retry-After", wait),))


_NOBODY = ClientView(
    client_id="",
    version=0,
    details={"token_endpoint_auth_method": "client_secret_basic"},
    policies=(),
    serves=frozenset(),
    trusted=False,
    dynamic=False,
    enabled=False,
    secrets=(),
)
