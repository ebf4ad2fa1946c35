"""What the browser carries back to the client: a code, an ID token, an access token.

First everything that can be refused is judged, and nothing is written; then the request is
spent, by whoever has it; then tokens are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.crypto.confirmation import UNBOUND
from idp.domain import Provider
from idp.domain.codes import AUTHORIZATION
from idp.domain.grants import Allowance, Grant, Line
from idp.domain.live import Lineage
from idp.domain.sessions import Participation, Session
from idp.domain.tokens import Minted
from idp.protocol.authorization_details import fitting
from idp.protocol.authorize import jarm
from idp.protocol.authorize.draft import Draft
from idp.protocol.claims import Aimed, access_token, aim
from idp.protocol.claims_request import names
from idp.protocol.encryption import Envelope, envelope
from idp.protocol.errors import LoginRequired
from idp.protocol.id_token import Beside, id_token


@dataclass(frozen=True, slots=True)
class Judged:
    """A request nothing stands against."""

    draft: Draft
    aimed: Aimed | None  # the access token that goes by the browser, if one does
    sealed: Envelope  # what the ID token is put in


@dataclass(frozen=True, slots=True)
class _SignIn:
    """What an ID token tells of a session, for one client."""

    account_id: str
    sub: str
    sid: str
    auth_time: datetime
    acr: str
    amr: Sequence[str]
    claims_request: Mapping[str, Any]


def judge(draft: Draft, op: Provider, now: datetime) -> Judged:
    """Whether it can be given; raises `ProtocolError`, and writes nothing."""
    jarm.judge(draft, op, now)
    aimed, sealed = None, Envelope()
    if draft.gives("id_token"):
        sealed = envelope(op, draft.client, "id_token", now)
    if draft.gives("token"):
        aimed = aim(op, draft.client, draft.scopes, draft.resources, (), UNBOUND)
        aimed = fitting(aimed, draft.authorization_details, draft.client, op)
    return Judged(draft, aimed, sealed)


def issue(judged: Judged, session: Session, op: Provider, now: datetime) -> dict[str, str]:
    """The parameters of the answer (OpenID Connect Core sections 3.1.2.5, 3.2.2.5, 3.3.2.5)."""
    draft = judged.draft
    op.sessions.touch(session, now)
    grant = _grant(draft, session, op, now)
    if draft.response_type == "code":
        return {"code": _code(draft, session, grant, op, now)}
    participation = _takes_part(draft, session, grant, op, now)
    given: dict[str, str] = {}
    if draft.gives("code"):
        given["code"] = _code(draft, session, grant, op, now)
    if judged.aimed is not None:
        line = _line(draft, session, grant, participation, op, now)
        minted = access_token(op, line, judged.aimed, now)
        given |= _token_parameters(minted, judged.aimed)
    if draft.gives("id_token"):
        given["id_token"] = _id_token(judged, session, participation, given, op, now)
    op.clients.touch(draft.client.client_id, now)
    return given


def _grant(draft: Draft, session: Session, op: Provider, now: datetime) -> Grant:
    """What the person allows; a trusted client needs no yes, and gets its grant here."""
    client_id = draft.client.client_id
    found: Grant | None = op.grants.find(session.account_id, client_id)
    return found or op.grants.allow(
        session.account_id,
        client_id,
        scopes=draft.scopes,
        resources=draft.resources,
        claims=names(draft.claims),
        now=now,
    )


def _code(draft: Draft, session: Session, grant: Grant, op: Provider, now: datetime) -> str:
    """A code, and everything that redeeming it will need."""
    details = {
        "client_id": draft.client.client_id,
        "redirect_uri": draft.redirect_uri if draft.redirect_uri_sent else None,
        "code_challenge": draft.code_challenge,
        "dpop_jkt": draft.dpop_jkt,
        "nonce": draft.nonce,
        "scopes": list(draft.scopes),
        "resources": list(draft.resources),
        "claims": draft.claims,
        "authorization_details": list(draft.authorization_details),
        "account_id": session.account_id,
        "session_id": session.id,
        "grant_id": grant.id,
        "generation": session.generation,
        "auth_time": int(session.auth_time.timestamp()),
        "acr": session.acr,
        "amr": list(session.amr),
        "offline": draft.offline,
    }
    return op.codes.issue(AUTHORIZATION, details, op.rules.code_lifetime, now)


def _takes_part(
    draft: Draft, session: Session, grant: Grant, op: Provider, now: datetime
) -> Participation:
    """The client takes part in the session from here on, if that is alive (promise P1): it is
    told of the sign-out even if it never comes back.
    """
    ended = op.tokens.live.ended(
        Lineage(
            client_id=draft.client.client_id,
            account_id=session.account_id,
            session_id=session.id,
            grant_id=grant.id,
            generation=session.generation,
        ),
        now,
        lock=True,
    )
    if ended is not None:
        raise LoginRequired("nobody suitable is signed in", reason=ended)
    return op.sessions.participate(session.id, session.account_id, draft.client, now)


def _line(
    draft: Draft,
    session: Session,
    grant: Grant,
    participation: Participation,
    op: Provider,
    now: datetime,
) -> Line:
    """What the access token descends from: it ends with the session, and has no refresh token."""
    allowed = Allowance(
        scopes=tuple(scope for scope in draft.scopes if scope != "offline_access"),
        resources=draft.resources,
        claims_request=draft.claims,
        offline=False,
        auth_time=session.auth_time,
        acr=session.acr,
        amr=tuple(session.amr),
        lives=op.rules.access_longest,
    )
    return op.grants.start_line(grant.id, participation, allowed, now)[0]


def _token_parameters(minted: Minted, aimed: Aimed) -> dict[str, str]:
    """RFC 6749 section 4.2.2."""
    return {
        "access_token": minted.value,
        "token_type": "Bearer",
        "expires_in": str(minted.expires_in),
        "scope": " ".join(aimed.scopes),
    }


def _id_token(
    judged: Judged,
    session: Session,
    participation: Participation,
    given: Mapping[str, str],
    op: Provider,
    now: datetime,
) -> str:
    draft = judged.draft
    about = _SignIn(
        session.account_id,
        participation.sub,
        participation.sid,
        session.auth_time,
        session.acr,
        session.amr,
        draft.claims,
    )
    beside = Beside(access=given.get("access_token"), code=given.get("code"), state=draft.state)
    alone = draft.response_type == "id_token"
    return id_token(
        op,
        draft.client,
        about,
        nonce=draft.nonce,
        beside=beside,
        sealed=judged.sealed,
        scopes=draft.scopes if alone else (),
        now=now,
    )
