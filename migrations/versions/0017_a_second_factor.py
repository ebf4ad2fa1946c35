"""a second factor: an app that shows codes, and codes on paper."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'totp',
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('account_id', sa.String(length=64), nullable=False),
        sa.Column('sealed', sa.LargeBinary(), nullable=False),
        sa.Column('last_step', sa.BigInteger(), nullable=False),
        sa.Column('created_at', Utc(), nullable=False),
        sa.Column('last_used_at', Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ['account_id'],
            ['account.id'],
            name=op.f('fk_totp_account_id_account'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_totp')),
        sa.UniqueConstraint('account_id', name=op.f('uq_totp_account_id')),
    )
    op.create_table(
        'recovery_code',
        sa.Column('digest', sa.LargeBinary(), nullable=False),
        sa.Column('account_id', sa.String(length=64), nullable=False),
        sa.Column('created_at', Utc(), nullable=False),
        sa.Column('used_at', Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ['account_id'],
            ['account.id'],
            name=op.f('fk_recovery_code_account_id_account'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('digest', name=op.f('pk_recovery_code')),
    )
    with op.batch_alter_table('recovery_code') as batch_op:
        batch_op.create_index('ix_recovery_code_account_id', ['account_id'])


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('recovery_code') as batch_op:
        batch_op.drop_index('ix_recovery_code_account_id')
    op.drop_table('recovery_code')
    op.drop_table('totp')
