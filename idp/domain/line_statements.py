"""The statements about consents, lines and their refresh tokens, built once for all requests."""

from sqlalchemy import bindparam, delete, insert, select, update

from idp.store.sessions import Grant, Line, RefreshToken

BY_FAMILY = select(Line).where(Line.family == bindparam("f"))
BY_ID = select(Line).where(Line.id == bindparam("l"))
AFRESH = {"populate_existing": True}
ALLOWED = select(Grant).where(
    Grant.account_id == bindparam("a"), Grant.client_id == bindparam("c"), Grant.ended_at.is_(None)
)
SPENT_AT = select(RefreshToken.spent_at).where(RefreshToken.digest == bindparam("d"))
KEEP = insert(RefreshToken)
CLEAR = delete(RefreshToken).where(
    RefreshToken.line_id == bindparam("l"), RefreshToken.spent_at < bindparam("before")
)
SPEND = (
    update(RefreshToken)
    .where(RefreshToken.digest == bindparam("d"), RefreshToken.spent_at.is_(None))
    .values(spent_at=bindparam("moment"))
)
FOLLOW = (
    update(Line)
    .where(Line.id == bindparam("l"), Line.ended_at.is_(None))
    .values(last_used_at=bindparam("moment"), idle_expires_at=bindparam("idle"))
)
OUT = select(Line.access, Line.access_until).where(Line.id == bindparam("l"))
MINTED = (
    update(Line)
    .where(Line.id == bindparam("l"))
    .values(access_until=bindparam("until"), access=bindparam("access"))
)
