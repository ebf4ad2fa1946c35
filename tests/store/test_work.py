"""The unit of work, and the statements that are built once: on SQLite and on PostgreSQL."""

from pathlib import Path

import pytest
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import DBAPIError

from idp.domain import line_statements as lines
from idp.store import Prebuilt, db, once_committed
from idp.store.people import Account
from idp.store.sessions import Line
from tests.support.services import Postgres
from tests.support.spec import spec
from tests.support.world import World, make_world

NAME = Prebuilt(select(Account.username).where(Account.id == bindparam("a")))
RENAME = Prebuilt(
    update(Account).where(Account.id == bindparam("a")).values(username=bindparam("name"))
)


@spec("P2")
def test_what_was_written_is_undone_with_the_unit(either: World) -> None:
    alice, said = either.person("alice"), list[str]()

    with either.app.app_context():
        once_committed(db.session, lambda: said.append("committed"))
        changed = db.session().change(RENAME, a=alice, name="mallory")
        meanwhile = db.session().row(NAME, a=alice)
        db.session.rollback()
        afterwards = db.session().row(NAME, a=alice)

    assert changed == 1
    assert meanwhile.username == "mallory"
    assert afterwards.username == "alice"
    assert said == []


@spec("P2")
def test_others_see_what_was_written_after_the_commit_only(either: World) -> None:
    alice = either.person("alice")

    with either.app.app_context(), db.engine.connect() as other:
        db.session().change(RENAME, a=alice, name="alicia")
        before = NAME.rows(other, {"a": alice})
        db.session.commit()
        after = NAME.rows(other, {"a": alice})

    assert (before[0].username, after[0].username) == ("alice", "alicia")


def test_an_object_that_changes_without_a_word_is_refused(either: World) -> None:
    alice = either.person("alice")

    with either.app.app_context():
        row = db.session.get(Account, alice)
        assert row is not None
        row.username = "mallory"
        with pytest.raises(RuntimeError, match="without saying writing"):
            db.session.commit()


def test_a_row_reads_as_sqlalchemy_itself_reads_it(either: World) -> None:
    either.person()
    token = either.browser().tokens(either.rp(), scope="openid")["refresh_token"]

    with either.app.app_context():
        line = either.op.grants.line_of(token)
        mapped = db.session.get(Line, line.id) if line is not None else None
        again = db.session().row(lines.BY_ID, l=line.id) if line is not None else None

    assert mapped is not None
    columns = Line.__table__.columns.keys()
    assert {name: getattr(line, name) for name in columns} == {
        name: getattr(mapped, name) for name in columns
    }
    assert again == line


def test_a_statement_that_fails_is_named_without_its_values(either: World) -> None:
    broken = Prebuilt(update(Account).values(id=bindparam("a"), username=bindparam("name")))
    one, _ = either.person("alice"), either.person("bob")

    with either.app.app_context():
        with pytest.raises(DBAPIError) as caught:
            db.session().change(broken, a=one, name="a secret")
        db.session.rollback()

    assert "UPDATE account" in str(caught.value)
    assert "a secret" not in str(caught.value)


@spec("P2")
def test_a_connection_that_was_cut_is_replaced(postgres: Postgres, tmp_path: Path) -> None:
    world = make_world(tmp_path, postgres.fresh())
    alice = world.person("alice")
    cut = text("SELECT pg_terminate_backend(:pid)")

    with world.app.app_context():
        pid = db.session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
        with db.engine.connect() as other:
            other.execute(cut, {"pid": pid})
        with pytest.raises(DBAPIError) as caught:
            db.session().row(NAME, a=alice)
        db.session.rollback()
        found = db.session().row(NAME, a=alice)
        db.session.remove()
        db.engine.dispose()

    assert caught.value.connection_invalidated
    assert found.username == "alice"
