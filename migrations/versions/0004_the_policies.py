"""the policies: tokens that are remembered, roles, and how a line's access tokens end."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'issued_token',
        sa.Column('jti', sa.String(length=43), nullable=False),
        sa.Column('digest', sa.LargeBinary(), nullable=True),
        sa.Column('line_id', sa.String(length=43), nullable=True),
        sa.Column('listed', sa.Boolean(), nullable=False),
        sa.Column('claims', sa.JSON(), nullable=False),
        sa.Column('expires_at', Utc(), nullable=False),
        sa.PrimaryKeyConstraint('jti', name=op.f('pk_issued_token')),
        sa.UniqueConstraint('digest', name=op.f('uq_issued_token_digest')),
    )
    with op.batch_alter_table('issued_token') as batch_op:
        batch_op.create_index('ix_issued_token_line_id', ['line_id'])
        batch_op.create_index('ix_issued_token_expires_at', ['expires_at'])
    op.create_table(
        'role',
        sa.Column('account_id', sa.String(length=64), nullable=False),
        sa.Column('resource', sa.String(length=512), nullable=False),
        sa.Column('roles', sa.JSON(), nullable=False),
        sa.Column('permissions', sa.JSON(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('updated_at', Utc(), nullable=False),
        sa.PrimaryKeyConstraint('account_id', 'resource', name=op.f('pk_role')),
    )
    with op.batch_alter_table('resource') as batch_op:
        batch_op.add_column(sa.Column('access_lifetime', sa.Integer(), nullable=True))
    with op.batch_alter_table('line') as batch_op:
        batch_op.add_column(sa.Column('access', sa.JSON(), nullable=False, server_default='{}'))
    with op.batch_alter_table('line') as batch_op:
        batch_op.alter_column('access', server_default=None)


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('line') as batch_op:
        batch_op.drop_column('access')
    with op.batch_alter_table('resource') as batch_op:
        batch_op.drop_column('access_lifetime')
    op.drop_table('role')
    with op.batch_alter_table('issued_token') as batch_op:
        batch_op.drop_index('ix_issued_token_expires_at')
        batch_op.drop_index('ix_issued_token_line_id')
    op.drop_table('issued_token')
