"""what was forgotten."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'forgotten',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('namespace', sa.String(length=32), nullable=False),
        sa.Column('first', Utc(), nullable=False),
        sa.Column('last', Utc(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_forgotten')),
    )
    with op.batch_alter_table('forgotten') as batch:
        batch.create_index('ix_forgotten_namespace', ['namespace'], unique=False)


def downgrade() -> None:
    """Backwards."""
    op.drop_table('forgotten')
