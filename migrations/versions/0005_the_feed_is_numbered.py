"""The feed is numbered, and guards hold leases."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    """Forwards."""
    op.create_table('feed_head',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('epoch', sa.String(length=43), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_feed_head'))
    )
    op.create_table('guard_lease',
    sa.Column('client_id', sa.String(length=255), nullable=False),
    sa.Column('guard', sa.String(length=64), nullable=False),
    sa.Column('resources', sa.JSON(), nullable=False),
    sa.Column('epoch', sa.String(length=43), nullable=False),
    sa.Column('confirmed', sa.Integer(), nullable=False),
    sa.Column('until', Utc(), nullable=False),
    sa.PrimaryKeyConstraint('client_id', 'guard', name=op.f('pk_guard_lease'))
    )
    with op.batch_alter_table('guard_lease', schema=None) as batch_op:
        batch_op.create_index('ix_guard_lease_until', ['until'], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table('guard_lease', schema=None) as batch_op:
        batch_op.drop_index('ix_guard_lease_until')

    op.drop_table('guard_lease')
    op.drop_table('feed_head')
