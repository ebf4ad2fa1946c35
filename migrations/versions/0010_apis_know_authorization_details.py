"""apis know authorization details."""

import sqlalchemy as sa
from alembic import op


revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table('resource') as batch_op:
        batch_op.add_column(sa.Column('detail_types', sa.JSON(), nullable=True))
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('authorization_details', sa.JSON(), nullable=True))


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('authorization_details')
    with op.batch_alter_table('resource') as batch_op:
        batch_op.drop_column('detail_types')
