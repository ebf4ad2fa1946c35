"""lines follow certificates."""

import sqlalchemy as sa
from alembic import op


revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('x5t', sa.String(length=43), nullable=True))


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('x5t')
