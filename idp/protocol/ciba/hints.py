"""Whom a request is put to: exactly one of three hints says it (OpenID CIBA Core section 7.1)."""

from datetime import datetime
from typing import Any

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.accounts import Account
from idp.domain.clients import ClientView
from idp.domain.metadata import ciba
from idp.protocol.errors import ExpiredLoginHintToken, InvalidRequest, UnknownUserId
from idp.protocol.messages import OAuthRequest

HINTS = ("login_hint", "login_hint_token", "id_token_hint")
LONGEST_NAME = 255


def whom(asked: OAuthRequest, client: ClientView, op: Provider) -> str:
    """The account that is meant; a disabled one is nobody."""
    given = [(name, hint) for name in HINTS if (hint := asked.parameters.get(name)) is not None]
    if len(given) != 1:
        raise InvalidRequest("exactly one of login_hint, login_hint_token, id_token_hint is needed")
    ((name, hint),) = given
    found: Account | None
    if name == "login_hint":
        found = op.accounts.find_by_username(hint) if len(hint) <= LONGEST_NAME else None
    elif name == "login_hint_token":
        found = _named(_of_client(hint, client, op, asked.now), client, op)
    else:
        found = op.accounts.find(client.account_of(_of_ours(hint, client, op, asked.now)))
    if found is None or found.disabled_at is not None:
        raise UnknownUserId("the hint does not name anybody")
    return found.id


def _of_ours(token: str, client: ClientView, op: Provider, now: datetime) -> str:
    """The `sub` of an ID token that we gave this client, however old."""
    try:
        said = jose.verify(token, op.keys.verification_keys(now), jose.OUR_ALGORITHMS)
    except jose.Unverifiable:
        raise InvalidRequest("id_token_hint is not one of ours") from None
    ours = said.get("iss") == op.rules.issuer and client.client_id in jose.audiences(said)
    if not ours or not isinstance(said.get("sub"), str):
        raise InvalidRequest("id_token_hint is not one of ours for this client")
    return str(said["sub"])


def _of_client(token: str, client: ClientView, op: Provider, now: datetime) -> dict[str, Any]:
    """A token that the client signed itself; whom it means stands in `sub_id` (RFC 9493)."""
    try:
        kid = jose.header_of(token).get("kid")
        said = jose.verify(token, op.clients.keys.of(client.details, kid, now), ciba.REQUEST_ALGS)
    except jose.Unverifiable:
        raise InvalidRequest("login_hint_token is not signed by the client") from None
    if said.get("iss") != client.client_id or op.rules.issuer not in jose.audiences(said):
        raise InvalidRequest("login_hint_token is not from this client, or not for us")
    try:
        jose.check_times(said, now)
    except jose.Unverifiable:
        raise ExpiredLoginHintToken("login_hint_token is over") from None
    subject = said.get("sub_id")
    if not isinstance(subject, dict):
        raise InvalidRequest("login_hint_token has no sub_id")
    return subject


def _named(subject: dict[str, Any], client: ClientView, op: Provider) -> Account | None:
    """The formats of a subject identifier that can name somebody here (RFC 9493 section 3.2)."""
    match subject:
        case {"format": "opaque", "id": str(sub)}:
            return op.accounts.find(client.account_of(sub))
        case {"format": "iss_sub", "iss": iss, "sub": str(sub)} if iss == op.rules.issuer:
            return op.accounts.find(client.account_of(sub))
        case {"format": "email", "email": str(email)} if len(email) <= LONGEST_NAME:
            return op.accounts.find_by_username(email)
    return None
