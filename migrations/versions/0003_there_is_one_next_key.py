"""there is one next key for each algorithm."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    """Forwards: of several next keys, which have signed nothing, one stays."""
    op.execute(
        "DELETE FROM signing_key WHERE state = 'next' AND kid NOT IN "
        "(SELECT min(kid) FROM signing_key WHERE state = 'next' GROUP BY alg)"
    )
    op.create_index(
        'uq_signing_key_next',
        'signing_key',
        ['alg'],
        unique=True,
        sqlite_where=sa.text("state = 'next'"),
        postgresql_where=sa.text("state = 'next'"),
    )


def downgrade() -> None:
    """Back."""
    op.drop_index('uq_signing_key_next', table_name='signing_key')
