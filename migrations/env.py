"""How a migration is run: online only, on whichever database the application is set to."""

from alembic import context
from flask import current_app

database = current_app.extensions["migrate"].db
target = database.metadata if hasattr(database, "metadata") else database.metadatas[None]

with database.engine.connect() as connection:
    context.configure(
        connection=connection.execution_options(idp_writes=True),
        target_metadata=target,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
