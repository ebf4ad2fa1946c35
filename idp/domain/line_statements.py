"""The statements about consents, lines and their refresh tokens, built once for all requests."""

from sqlalchemy import bindparam, delete, insert, select, update

from idp.store import Prebuilt
from idp.store.sessions import Grant, Line, RefreshToken

_COLUMNS = select(*Line.__table__.columns)
BY_FAMILY = Prebuilt(_COLUMNS.where(Line.family == bindparam("f")))
BY_ID = Prebuilt(_COLUMNS.where(Line.id == bindparam("l")))
NEWEST_OF_SID = Prebuilt(
    _COLUMNS.where(Line.sid == bindparam("s"), Line.ended_at.is_(None))
    .order_by(Line.created_at.desc(), Line.id)
    .limit(1)
)
AFRESH = {"populate_existing": True}
_OPEN = (
    Grant.account_id == bindparam("a"),
    Grant.client_id == bindparam("c"),
    Grant.ended_at.is_(None),
)
ALLOWED = Prebuilt(select(*Grant.__table__.columns).where(*_OPEN))
TO_CHANGE = select(Grant).where(*_OPEN)
SPENT_AT = Prebuilt(select(RefreshToken.spent_at).where(RefreshToken.digest == bindparam("d")))
KEEP = Prebuilt(
    insert(RefreshToken).values(
        digest=bindparam("d"), line_id=bindparam("l"), issued_at=bindparam("moment"), spent_at=None
    )
)
CLEAR = Prebuilt(
    delete(RefreshToken).where(
        RefreshToken.line_id == bindparam("l"), RefreshToken.spent_at < bindparam("before")
    )
)
SPEND = Prebuilt(
    update(RefreshToken)
    .where(RefreshToken.digest == bindparam("d"), RefreshToken.spent_at.is_(None))
    .values(spent_at=bindparam("moment"))
)
OUT = Prebuilt(select(Line.access, Line.access_until).where(Line.id == bindparam("l")))
_SPENT = (
    update(RefreshToken)
    .where(RefreshToken.digest == bindparam("d"), RefreshToken.spent_at.is_(None))
    .values(spent_at=bindparam("moment"))
    .returning(RefreshToken.line_id)
    .cte("spent")
)
_FOLLOWED = (
    insert(RefreshToken)
    .from_select(
        ["digest", "line_id", "issued_at"],
        select(
            bindparam("successor", type_=RefreshToken.digest.type),
            _SPENT.c.line_id,
            bindparam("moment", type_=RefreshToken.issued_at.type),
        ),
    )
    .cte("followed")
)
_CLEARED = (
    delete(RefreshToken)
    .where(RefreshToken.line_id == bindparam("l"), RefreshToken.spent_at < bindparam("before"))
    .cte("cleared")
)
# SPEND, KEEP and CLEAR on one way to the database and back, where it is another process.
ROTATE = Prebuilt(select(_SPENT.c.line_id).add_cte(_FOLLOWED, _CLEARED))
MINTED = Prebuilt(
    update(Line)
    .where(Line.id == bindparam("l"))
    .values(access_until=bindparam("until"), access=bindparam("out"))
)
USED = Prebuilt(
    update(Line)
    .where(Line.id == bindparam("l"))
    .values(
        access_until=bindparam("until"),
        access=bindparam("out"),
        last_used_at=bindparam("moment"),
        idle_expires_at=bindparam("idle"),
    )
)
