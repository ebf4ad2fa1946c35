"""An app comes back for the answer: look, judge, spend, mint (RFC 8628 section 3.4; CIBA Core
section 10.1).
"""

from datetime import UTC, datetime
from typing import Any

from idp.crypto.confirmation import UNBOUND, Confirmation
from idp.domain import Provider
from idp.domain.approvals import DENIED, WAITING, Approval
from idp.domain.clients import ClientView
from idp.domain.grants import Allowance, Line
from idp.domain.live import Lineage
from idp.protocol.claims import access_token, aim
from idp.protocol.encryption import envelope
from idp.protocol.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    PolledTooSoon,
)
from idp.protocol.expiry import refresh_expiry
from idp.protocol.id_token import Beside, id_token
from idp.protocol.messages import OAuthRequest
from idp.protocol.possession import proven, token_type


def tokens(
    kind: str, handle: str, request: OAuthRequest, client: ClientView, op: Provider
) -> dict[str, Any]:
    """What a person's yes gives, once. Until there is an answer, the refusal that says so.

    Another client's request is neither told of nor touched (DEV-02).
    """
    now = request.now
    row = op.codes.approvals.find(kind, handle)
    if row is None or row.client_id != client.client_id:
        raise _gone("unknown")
    sealed = envelope(op, client, "id_token", now)
    held = proven(request, op, client)
    _judge_state(row, op, now)
    _judge_life(row, op, now)
    scopes, resources = row.asked["scopes"], row.asked["resources"]
    asked = request.parameters.all("resource")
    aimed = aim(op, client, scopes, resources, asked, held)
    if not op.codes.approvals.spend(row, now):
        raise _gone("spent in this moment")
    line, refresh = _start_line(row, client, op, held if client.binds_lines else UNBOUND, now)
    minted = access_token(op, line, aimed, now)
    body: dict[str, Any] = {
        "access_token": minted.value,
        "token_type": token_type(held),
        "expires_in": minted.expires_in,
        "scope": " ".join(aimed.scopes if asked else line.scopes),
    }
    if "refresh_token" in client.grant_types:
        op.grants.keep(refresh, line, now)
        body |= {"refresh_token": refresh} | refresh_expiry(op, line, now)
    if "openid" in line.scopes:
        body["id_token"] = id_token(
            op,
            client,
            line,
            nonce=None,
            beside=Beside(access=minted.value),
            sealed=sealed,
            now=now,
        )
    op.clients.touch(client.client_id, now)
    return body


def _judge_state(row: Approval, op: Provider, now: datetime) -> None:
    """Only a yes that nobody has fetched goes on (RFC 8628 section 3.5)."""
    if row.spent_at is not None:
        raise _gone("came back")
    if row.state == DENIED:
        raise AccessDenied("the person said no")
    if row.expires_at <= now:
        raise ExpiredToken("nobody answered in time")
    if row.state != WAITING:
        return
    if _ended(row, op, now) is not None:
        raise _gone("ended while it waited")
    if not op.codes.approvals.polled(row, now):
        raise PolledTooSoon("ask less often")
    raise AuthorizationPending("nobody has answered yet")


def _judge_life(row: Approval, op: Provider, now: datetime) -> None:
    """Whoever signed out, was disabled or took consent back since gives nothing (DEV-04)."""
    ended = _ended(row, op, now, lock=True)
    if ended is not None:
        raise _gone(ended)


def _ended(row: Approval, op: Provider, now: datetime, *, lock: bool = False) -> str | None:
    lineage = Lineage(
        client_id=row.client_id,
        account_id=row.account_id,
        session_id=row.session_id,
        grant_id=row.given.get("grant_id"),
        generation=row.given.get("generation"),
    )
    return op.tokens.live.ended(lineage, now, lock=lock)


def _start_line(
    row: Approval, client: ClientView, op: Provider, held: Confirmation, now: datetime
) -> tuple[Line, Any]:
    """The line belongs to the session in which the person said yes."""
    account_id, session_id, given = row.account_id or "", row.session_id or "", row.given
    participation = op.sessions.participate(session_id, account_id, client, now)
    allowed = Allowance(
        scopes=tuple(row.asked["scopes"]),
        resources=tuple(row.asked["resources"]),
        claims_request={},
        offline="offline_access" in row.asked["scopes"],
        auth_time=datetime.fromtimestamp(given["auth_time"], UTC),
        acr=given["acr"],
        amr=tuple(given["amr"]),
        bound_to=held,
    )
    return op.grants.start_line(given["grant_id"], participation, allowed, now)


def _gone(reason: str) -> InvalidGrant:
    return InvalidGrant("the request is not known, or is over", reason=reason)
