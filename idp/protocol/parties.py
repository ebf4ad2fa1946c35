"""Whom the tokens of an exchange speak of (RFC 8693 sections 2.1 and 3): each is read, asked
about at the gate, and must be in the hands of a client that may bring it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.crypto import jose
from idp.crypto.confirmation import UNBOUND, Confirmation
from idp.domain import Provider
from idp.domain.clients import ClientView
from idp.domain.grants import LineAsRead
from idp.domain.metadata.operators import ExchangeRight
from idp.domain.tokens import ACCESS_TOKEN_TYPE, Lineage, Presented
from idp.protocol.claims import policies_at
from idp.protocol.errors import InvalidRequest
from idp.protocol.possession import bound_to

TYPE = "urn:ietf:params:oauth:token-type:"
UNUSABLE = "a token is not good, or not in the right hands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """What a token says of somebody, as far as an exchange depends on it."""

    sub: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: int
    lineage: Lineage
    line: LineAsRead | None
    parents: tuple[Mapping[str, str], ...] = ()
    bound_to: Confirmation = UNBOUND
    act: Mapping[str, Any] | None = None
    may_act: Mapping[str, Any] | None = None

    @property
    def resources(self) -> Iterable[str] | None:
        """The APIs its person allowed; None where there is no person."""
        return None if self.line is None else list(self.line.resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who brings the tokens, at which moment."""

    op: Provider
    client: ClientView
    right: ExchangeRight
    now: datetime

    def may_bring(self, client_id: str, audiences: Iterable[str] = ()) -> bool:
        """Its own, those it is called with, and those of clients an operator has named."""
        if client_id == self.client.client_id or client_id in self.right.clients:
            return True
        return not self.client.serves.isdisjoint(audiences)


def read(token: str, kind: str, holder: Holder) -> Party:
    """What a token says; `InvalidRequest` for one that is not good here (section 2.2.2)."""
    reader = READERS.get(kind.removeprefix(TYPE)) if kind.startswith(TYPE) else None
    if reader is None:
        raise InvalidRequest("the token type is not supported")
    party = reader(token, holder)
    if party.expires_at <= holder.now.timestamp():
        raise _unusable("expired")
    return party


def _access(token: str, holder: Holder) -> Party:
    """An access token of ours, in either form."""
    op, access = holder.op, holder.op.tokens.read_access(token, holder.now)
    if access is None:
        raise _unusable("no access token of ours")
    if not holder.may_bring(access.client_id, access.audiences):
        raise _unusable("another client's access token")
    resource = min(access.audiences & holder.client.serves or access.audiences)
    keys = access.bound_to  # that they are held is the exchange's question
    seen = Presented(resource=resource, proven_jkt=keys.jkt, proven_x5t=keys.x5t)
    ended = op.tokens.judge(access, seen, policies_at(op, resource), holder.now)
    if ended is not None:
        raise _unusable(ended)
    parent = {"client_id": access.client_id, "jti": access.jti}
    return Party(
        sub=access.sub,
        client_id=access.client_id,
        scopes=tuple(str(access.claims.get("scope", "")).split()),
        expires_at=access.expires_at,
        lineage=access.lineage,
        line=op.grants.line(access.line_id) if access.line_id is not None else None,
        parents=(*access.parents, parent),
        bound_to=keys,
        act=_object(access.claims.get("act")),
        may_act=_object(access.claims.get("may_act")),
    )


def _refresh(token: str, holder: Holder) -> Party:
    """A refresh token, of the client itself and nobody else; it is not used up."""
    op, line = holder.op, holder.op.grants.line_of(token)
    if line is None or line.client_id != holder.client.client_id or not op.grants.newest(token):
        raise _unusable("no refresh token of this client")
    if line.idle_expires_at <= holder.now:
        raise _unusable("idle")
    return _of_line(line, int(line.idle_expires_at.timestamp()), holder)


def _id_token(token: str, holder: Holder) -> Party:
    """An ID token, while the client it was made for takes part in its session."""
    op, now = holder.op, holder.now
    try:
        said = jose.verify(token, op.keys.verification_keys(now), jose.OUR_ALGORITHMS, typ="jwt")
        jose.check_times(said, now)
    except jose.Unverifiable:
        raise _unusable("no ID token of ours") from None
    sid, aud = said.get("sid"), said.get("aud")
    if said.get("iss") != op.rules.issuer or "auth_time" not in said or not isinstance(sid, str):
        raise _unusable("no ID token of ours")
    part, line = op.sessions.participation(sid), op.grants.newest_line(sid)
    if part is None or part.ended_at is not None or line is None or part.client_id != aud:
        raise _unusable("its session is over")
    if not holder.may_bring(line.client_id):
        raise _unusable("another client's ID token")
    session = Lineage(account_id=line.account_id, session_id=line.session_id)
    ended = op.tokens.live.ended(session, now)
    if ended is not None:
        raise _unusable(ended)
    return _of_line(line, int(said["exp"]), holder)


def _jwt(token: str, holder: Holder) -> Party:
    """A JWT of ours: it says itself what it is (section 3)."""
    try:
        typ = str(jose.header_of(token).get("typ")).lower().removeprefix("application/")
    except jose.Unverifiable:
        raise _unusable("not a JWT") from None
    return _access(token, holder) if typ == ACCESS_TOKEN_TYPE else _id_token(token, holder)


READERS: Mapping[str, Callable[[str, Holder], Party]] = {
    "access_token": _access,
    "refresh_token": _refresh,
    "id_token": _id_token,
    "jwt": _jwt,
}


def _of_line(line: LineAsRead, expires_at: int, holder: Holder) -> Party:
    op = holder.op
    lineage = op.tokens.lineage_of(line)
    ended = op.tokens.live.ended(lineage, holder.now)
    if ended is not None:
        raise _unusable(ended)
    client = op.clients.get(line.client_id)
    return Party(
        sub=line.sub or line.account_id,
        client_id=line.client_id,
        scopes=tuple(line.scopes),
        expires_at=expires_at,
        lineage=lineage,
        line=line,
        parents=({"client_id": line.client_id},),
        bound_to=bound_to(line),
        may_act=_object(client.details.get("may_act")),
    )


def _object(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _unusable(reason: str) -> InvalidRequest:
    return InvalidRequest(UNUSABLE, reason=reason)
