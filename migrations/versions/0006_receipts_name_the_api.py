"""receipts name the API where access ends."""

import sqlalchemy as sa
from alembic import op


revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table('receipt_line') as batch_op:
        batch_op.add_column(sa.Column('audience', sa.String(length=512), nullable=True))


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('receipt_line') as batch_op:
        batch_op.drop_column('audience')
