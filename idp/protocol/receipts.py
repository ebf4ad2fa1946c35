"""Receipts for programs: as JSON, or signed, so that whoever sees one can check who says so."""

from collections.abc import Iterable
from datetime import datetime

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.receipts import Receipt, ReceiptLine
from idp.domain.tokens import AccessToken
from idp.protocol import bearer
from idp.protocol.dpop import with_nonce
from idp.protocol.errors import InvalidRequest
from idp.protocol.messages import Answer, OAuthRequest
from idp.protocol.own_scopes import RECEIPTS_READ

PROOF_TYPE = "application/receipt+jwt"
TYP = "receipt+jwt"
ALG = "ES256"
USUAL, MOST = 50, 500  # receipts in a list

NOT_FOUND = Answer(status=404, body={"error": "not_found"})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """A receipt, for the person it concerns and for whom an operator lets read them all: by an
    access token for us. JSON, or the signed proof if that is what is accepted (RFC 9110 section
    12.5.1).
    """
    access = bearer.accepted_of_either(request, op, "openid", RECEIPTS_READ)
    row = op.sign_outs.receipts.find(request.path_argument)
    if row is None or not _may_read(access, row, op):
        return NOT_FOUND
    sub = access.sub if _of_person(access) else row.account_id
    if PROOF_TYPE in _accepted(request):
        said = Answer(body=proof(op, row, request.now, sub), content_type=PROOF_TYPE)
    else:
        said = Answer(body=document(op, row, sub))
    return with_nonce(said, request, op)


def newest(request: OAuthRequest, op: Provider) -> Answer:
    """The newest receipts, each without its lines, by an access token (RFC 6750 section 2.1).

    `sub` names a person, `limit` how many (at most 500). A person's token lists their own.
    """
    access = bearer.accepted_of_either(request, op, "openid", RECEIPTS_READ)
    mine = bearer.account_of(access, op) if _of_person(access) else None
    asked = request.query.get("limit") or str(USUAL)
    if not asked.isascii() or not asked.isdecimal() or not 0 < int(asked[:9]) <= MOST:
        raise InvalidRequest(f"limit is not a number up to {MOST}")
    rows = op.sign_outs.receipts.newest(mine or request.query.get("sub"), int(asked))
    said = [_head(row, access.sub if mine else row.account_id) for row in rows]
    return with_nonce(Answer(body={"receipts": said}), request, op)


def document(op: Provider, row: Receipt, sub: str | None = None) -> dict[str, object]:
    """What a receipt says now. No id of a session, a line or a token is in it. `sub` is what the
    reader calls the person, if that is a name of its own.
    """
    return {
        **_head(row, sub or row.account_id),
        "lines": _lines(op.sign_outs.receipts.lines(row.id)),
    }


def proof(op: Provider, row: Receipt, now: datetime, sub: str | None = None) -> str:
    """The same as a signed JWT (RFC 7519); `iat` is the moment it speaks of."""
    said = document(op, row, sub)
    claims = {"iss": op.rules.issuer, "iat": int(now.timestamp()), "jti": said.pop("id"), **said}
    return jose.sign(op.keys.signer(ALG, now), claims, typ=TYP)


def _head(row: Receipt, sub: str) -> dict[str, object]:
    return {
        "id": row.id,
        "sub": sub,
        "at": int(row.at.timestamp()),
        "scope": row.scope,
        "reason": row.reason,
        "by": row.by,
    }


def _of_person(access: AccessToken) -> bool:
    return access.line_id is not None


def _may_read(access: AccessToken, row: Receipt, op: Provider) -> bool:
    return not _of_person(access) or bearer.account_of(access, op) == row.account_id


def _lines(rows: Iterable[ReceiptLine]) -> list[dict[str, object]]:
    return [
        {
            "kind": row.kind,
            "name": row.name,
            "state": row.state,
            **({"until": int(row.until.timestamp())} if row.until is not None else {}),
            **({"audience": row.audience} if row.audience is not None else {}),
        }
        for row in rows
    ]


def _accepted(request: OAuthRequest) -> set[str]:
    ranges = ",".join(request.headers.get("accept", ())).split(",")
    return {media_range.partition(";")[0].strip().lower() for media_range in ranges}
