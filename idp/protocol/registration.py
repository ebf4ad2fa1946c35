"""Dynamic client registration and management (RFC 7591, RFC 7592)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from idp.domain import Provider
from idp.domain.clients import ClientView, InvalidMetadata
from idp.domain.codes import INITIAL_ACCESS, AlreadySpent, Gone
from idp.domain.throttle import Throttled, network
from idp.protocol.errors import InvalidRequest, InvalidToken, RegistrationRefused, SlowDown
from idp.protocol.messages import Answer, OAuthRequest

CHALLENGE = (("WWW-Authenticate", 'Bearer realm="idp"'),)
INVITATION_LIVES = timedelta(days=1)


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """Register a client (RFC 7591 section 3). Secrets are shown once, here."""
    _admit(request, op)
    metadata = _object(request)
    if "software_statement" in metadata:
        raise RegistrationRefused(
            "invalid_software_statement", "software statements are not trusted here"
        )
    try:
        made = op.clients.register(metadata, request.address, request.now)
    except InvalidMetadata as error:
        raise RegistrationRefused(error.code, str(error)) from None
    op.events.record(
        "ClientRegistered", request.now, client_id=made.view.client_id, address=request.address
    )
    body = _about(made.view, op) | {
        "registration_access_token": made.registration_access_token,
        "client_id_issued_at": int(request.now.timestamp()),
    }
    if made.secret is not None:
        body |= {"client_secret": made.secret, "client_secret_expires_at": 0}
    return Answer(status=201, body=body)


def manage(request: OAuthRequest, op: Provider) -> Answer:
    """Read, replace or delete a registration (RFC 7592 section 2)."""
    view = _owned(request, op)
    if request.method == "DELETE":
        op.clients.remove(view.client_id, request.now)
        op.events.record("ClientRemoved", request.now, client_id=view.client_id, by="client")
        return Answer(status=204, body=None)
    if request.method == "PUT":
        view = _replaced(request, view, op)
    return Answer(body=_about(view, op) | {"registration_access_token": _bearer(request)})


def invite(op: Provider, now: datetime, lifetime: timedelta = INVITATION_LIVES) -> str:
    """An initial access token, good for one registration (RFC 7591 section 3)."""
    return op.codes.issue(INITIAL_ACCESS, {}, lifetime, now)


def metadata(op: Provider) -> Mapping[str, object]:
    """What discovery says about it: nothing when it is off."""
    if op.rules.registration == "off":
        return {}
    return {"registration_endpoint": f"{op.rules.issuer}/register"}


def _admit(request: OAuthRequest, op: Provider) -> None:
    """Open, by invitation, or not at all; and not too often from one place (DCR-08)."""
    if op.rules.registration == "off":
        raise InvalidRequest("registration is off")
    try:
        op.throttle.count("registration", network(request.address), request.now)
    except Throttled as error:
        wait = str(int(error.retry_after.total_seconds()))
        raise SlowDown("too many registrations", headers=(("Retry-After", wait),)) from None
    if op.rules.registration == "open":
        return
    try:
        op.codes.spend(INITIAL_ACCESS, _bearer(request), request.now)
    except (AlreadySpent, Gone):
        raise InvalidToken("an initial access token is needed", headers=CHALLENGE) from None


def _owned(request: OAuthRequest, op: Provider) -> ClientView:
    """The client whose registration access token this is, on its own address only."""
    view = op.clients.of_registration(_bearer(request), request.path_argument)
    if view is None or not view.enabled:
        raise InvalidToken("the registration access token is not good here", headers=CHALLENGE)
    return view


def _replaced(request: OAuthRequest, view: ClientView, op: Provider) -> ClientView:
    metadata = _object(request)
    if metadata.get("client_id") != view.client_id:
        raise InvalidRequest("client_id is missing or another client's")
    secret = metadata.get("client_secret")
    if secret is not None:
        right = isinstance(secret, str) and op.clients.check_secret(view, secret, request.now)
        if not right:
            raise InvalidRequest("client_secret cannot be chosen")
    try:
        replaced = op.clients.update(view.client_id, metadata, request.now)
    except InvalidMetadata as error:
        raise RegistrationRefused(error.code, str(error)) from None
    op.events.record("ClientUpdated", request.now, client_id=view.client_id, by="client")
    return replaced


def _object(request: OAuthRequest) -> dict[str, object]:
    if not isinstance(request.json, dict):
        raise RegistrationRefused("invalid_client_metadata", "the body is not a JSON object")
    return request.json


def _bearer(request: OAuthRequest) -> str:
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("", headers=CHALLENGE)
    return token.strip()


def _about(view: ClientView, op: Provider) -> dict[str, object]:
    return {
        **view.details,
        "policies": list(view.policies),
        "client_id": view.client_id,
        "registration_client_uri": f"{op.rules.issuer}/register/{view.client_id}",
    }
