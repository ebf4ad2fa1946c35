"""client_secret_basic and client_secret_post (RFC 6749 section 2.3.1)."""

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote_to_bytes

from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.protocol.client_auth.credentials import Presented
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.messages import OAuthRequest

NAMES = ("client_secret_basic", "client_secret_post")
LONGEST = 4096


def presented(request: OAuthRequest) -> Iterator[Presented]:
    """The credentials in the header, and those in the body."""
    given = request.headers.get("authorization", ())
    if len(given) > 1:
        raise InvalidRequest("more than one Authorization header")
    if given and given[0][:6].lower() == "basic ":
        yield _basic(given[0][6:].strip())
    secret = request.parameters.get("client_secret")
    client_id = request.parameters.get("client_id")
    if secret is not None and client_id is not None:
        yield Presented("client_secret_post", client_id, secret)


def proves(view: ClientView, presented: Presented, op: Provider, now: datetime) -> bool:
    """Whether the secret is the client's."""
    return op.clients.check_secret(view, presented.proof, now)


def _basic(encoded: str) -> Presented:
    if len(encoded) > LONGEST:
        raise InvalidClient("the credentials are too long")
    try:
        raw = base64.b64decode(encoded, validate=True)
        name, colon, secret = raw.partition(b":")
        if not colon or b"\0" in unquote_to_bytes(raw):
            raise ValueError("no colon, or a NUL")
        return Presented("client_secret_basic", _form_decoded(name), _form_decoded(secret))
    except (binascii.Error, ValueError):
        raise InvalidClient("the Authorization header is malformed") from None


def _form_decoded(part: bytes) -> str:
    """Both halves are form-encoded before they are joined (RFC 6749 section 2.3.1)."""
    return unquote_to_bytes(part.replace(b"+", b" ")).decode()
