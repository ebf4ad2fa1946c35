"""From nothing to head and back, and models equal schema, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from idp.app import create_app
from idp.settings import load
from idp.store import Base, db
from tests.support.spec import spec


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@spec("F-11")
def test_up_and_down_and_models_equal_schema(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    environ = {"IDP_DATA_DIR": str(tmp_path)}
    if store == "postgresql":
        environ["IDP_DATABASE_URL"] = request.getfixturevalue("postgres").fresh()
    app = create_app(load(environ=environ))
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            difference = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        downgrade(revision="base")
        left = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
        upgrade()
        there = "account" in inspect(db.engine).get_table_names()
        db.engine.dispose()

    assert difference == []
    assert left == set()
    assert there
