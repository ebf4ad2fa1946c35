"""lines know people by name."""

import sqlalchemy as sa
from alembic import op


revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('sub', sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('sub')
