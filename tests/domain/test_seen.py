"""What may be seen once only, and what is taken back: the same on SQLite and on PostgreSQL."""

from datetime import timedelta

from sqlalchemy import select

from idp.domain.tokens import AccessToken
from idp.store import db
from idp.store.system import Ended
from tests.support.spec import spec
from tests.support.world import World


@spec("DPO-05", "JWA-02", "P3")
def test_whoever_brings_a_value_first_is_told_so_and_nobody_after(either: World) -> None:
    now = either.clock.now
    until = now + timedelta(minutes=1)
    with either.app.app_context():
        seen_once = either.op.tokens.seen_once

        answers = [seen_once("proof", value, until, now) for value in ("a", "a", "b", "a")]
        other = seen_once("assertion", "a", until, now)
        db.session.commit()

    assert answers == [True, False, True, False]
    assert other is True


@spec("P2", "REV-05")
def test_a_token_taken_back_is_told_to_guards_once(either: World) -> None:
    now = either.clock.now
    until = int((now + timedelta(minutes=5)).timestamp())
    token = AccessToken({"jti": "the-jti", "sub": "s", "client_id": "c", "exp": until})
    with either.app.app_context():
        for _ in range(2):
            either.op.tokens.deny(token, now)
            db.session.commit()

        told = db.session.scalars(select(Ended.subject).where(Ended.kind == "jti")).all()

    assert told == ["the-jti"]
