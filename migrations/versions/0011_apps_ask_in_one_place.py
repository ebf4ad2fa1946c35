"""Apps ask in one place, people answer in another."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0011'
down_revision = '0010'

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Forwards."""
    op.create_table('approval',
    sa.Column('id', sa.String(length=43), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('user_code', sa.LargeBinary(), nullable=True),
    sa.Column('client_id', sa.String(length=255), nullable=False),
    sa.Column('account_id', sa.String(length=64), nullable=True),
    sa.Column('session_id', sa.String(length=43), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('asked', sa.JSON(), nullable=False),
    sa.Column('given', sa.JSON(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('interval', sa.Integer(), nullable=False),
    sa.Column('next_poll_at', Utc(), nullable=True),
    sa.Column('created_at', Utc(), nullable=False),
    sa.Column('expires_at', Utc(), nullable=False),
    sa.Column('answered_at', Utc(), nullable=True),
    sa.Column('spent_at', Utc(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval')),
    sa.UniqueConstraint('digest', name=op.f('uq_approval_digest'))
    )
    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.create_index('ix_approval_account_id', ['account_id'], unique=False)
        batch_op.create_index('ix_approval_expires_at', ['expires_at'], unique=False)
        batch_op.create_index('uq_approval_user_code', ['user_code'], unique=True, sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.drop_index('uq_approval_user_code', sqlite_where=WAITING, postgresql_where=WAITING)
        batch_op.drop_index('ix_approval_expires_at')
        batch_op.drop_index('ix_approval_account_id')

    op.drop_table('approval')
