"""A pushed authorization request on its way back: kept by us, named by its request_uri.

It is opened as often as the person reloads the page, and answered once (RFC 9126 section 4).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from idp.crypto.secrets import Digest, Handle, digest
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.codes import PUSHED
from idp.protocol.authorize.draft import Draft
from idp.protocol.errors import InvalidRequest, InvalidRequestUri
from idp.protocol.messages import OAuthRequest

URN = "urn:ietf:params:oauth:request_uri:"
LIVES = timedelta(seconds=60)


def keep(draft: Draft, op: Provider, now: datetime) -> str:
    """Keep what was pushed, and give it its name.

    It can be opened for `LIVES`, but is remembered until the last person who opened it in time
    must be through, so that the second of two who finish late is known for what they are.
    """
    details = {"draft": draft.parked(), "until": (now + LIVES).timestamp()}
    remembered = LIVES + op.rules.interaction_lifetime
    return URN + op.codes.issue(PUSHED, details, remembered, now)


def is_pushed(request: OAuthRequest) -> bool:
    """Whether the browser brings the name of a pushed request, and not the request itself."""
    return any(uri.startswith(URN) for uri in request.parameters.all("request_uri"))


def opened(request: OAuthRequest, op: Provider) -> Draft:
    """The request that was pushed. Beside its name and the client's nothing counts that the
    browser brings (section 4); raises `InvalidRequestUri` for a stranger's, and for one that
    was answered or whose time is over.
    """
    parameters = request.parameters
    if parameters.repeated() & {"client_id", "request_uri", "request"}:
        raise InvalidRequest("a parameter is there more than once")
    if parameters.get("request") is not None:
        raise InvalidRequest("request and request_uri exclude each other")
    handle = Handle((parameters.get("request_uri") or "").removeprefix(URN))
    row = op.codes.look(PUSHED, handle, request.now)
    if row is None or row.spent_at is not None or row.details["until"] <= request.now.timestamp():
        raise InvalidRequestUri("the request_uri is not good, or no longer")
    client = _its_client(row.details["draft"]["client_id"], parameters.get("client_id"), op)
    return replace(Draft.resumed(row.details["draft"], client), pushed=digest(handle).hex())


def answer_once(draft: Draft, op: Provider, now: datetime) -> bool:
    """Whether this may be answered: always, if it was not pushed; else the first one may."""
    if draft.pushed is None:
        return True
    return op.codes.spend_kept(PUSHED, Digest(bytes.fromhex(draft.pushed)), now)


def _its_client(owner: str, sent: str | None, op: Provider) -> ClientView:
    """The client that pushed the request, which is also the one that brings it."""
    client = op.clients.find(owner) if owner == sent else None
    if client is None or not client.enabled:
        raise InvalidRequestUri("the request_uri is not good, or no longer", reason="not its own")
    return client
