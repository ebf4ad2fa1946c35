"""apps are asked through the browser."""

import sqlalchemy as sa
from alembic import op


revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table('participation') as batch_op:
        batch_op.add_column(
            sa.Column('frontchannel_logout_uri', sa.String(length=2048), nullable=True)
        )


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('participation') as batch_op:
        batch_op.drop_column('frontchannel_logout_uri')
