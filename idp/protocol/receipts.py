"""Receipts for programs: as JSON, or signed, so that whoever sees one can check who says so."""

from collections.abc import Iterable
from datetime import datetime

from idp.crypto import jose
from idp.domain import Provider
from idp.domain.receipts import Receipt, ReceiptLine
from idp.protocol import bearer
from idp.protocol.dpop import with_nonce
from idp.protocol.messages import Answer, OAuthRequest

PROOF_TYPE = "application/receipt+jwt"
TYP = "receipt+jwt"
ALG = "ES256"

NOT_FOUND = Answer(status=404, body={"error": "not_found"})


def answer(request: OAuthRequest, op: Provider) -> Answer:
    """A receipt, for the person it concerns: by an access token of theirs for us. JSON, or the
    signed proof if that is what is accepted (RFC 9110 section 12.5.1).
    """
    access = bearer.accepted(request, op, "openid")
    row = op.sign_outs.receipts.find(request.path_argument)
    if row is None or row.account_id != access.sub:
        return NOT_FOUND
    if PROOF_TYPE in _accepted(request):
        said = Answer(body=proof(op, row, request.now), content_type=PROOF_TYPE)
    else:
        said = Answer(body=document(op, row))
    return with_nonce(said, request, op)


def document(op: Provider, row: Receipt) -> dict[str, object]:
    """What a receipt says now. No id of a session, a line or a token is in it."""
    return {
        "id": row.id,
        "sub": row.account_id,
        "at": int(row.at.timestamp()),
        "scope": row.scope,
        "reason": row.reason,
        "by": row.by,
        "lines": _lines(op.sign_outs.receipts.lines(row.id)),
    }


def proof(op: Provider, row: Receipt, now: datetime) -> str:
    """The same as a signed JWT (RFC 7519); `iat` is the moment it speaks of."""
    said = document(op, row)
    claims = {"iss": op.rules.issuer, "iat": int(now.timestamp()), "jti": said.pop("id"), **said}
    return jose.sign(op.keys.signer(ALG, now), claims, typ=TYP)


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
