"""status lists: a place for each token of an API that wants to check offline."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0014'
down_revision = '0013'

ENDED = sa.text('state <> 0')


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'status_list',
        sa.Column('id', sa.String(length=43), nullable=False),
        sa.Column('open_until', Utc(), nullable=False),
        sa.Column('crowded', sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_status_list')),
    )
    with op.batch_alter_table('status_list') as batch_op:
        batch_op.create_index('ix_status_list_open_until', ['open_until'])
    op.create_table(
        'status_entry',
        sa.Column('list_id', sa.String(length=43), nullable=False),
        sa.Column('idx', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('client_id', sa.String(length=255), nullable=False),
        sa.Column('state', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('list_id', 'idx', name=op.f('pk_status_entry')),
    )
    with op.batch_alter_table('status_entry') as batch_op:
        batch_op.create_index(
            'ix_status_entry_ended',
            ['list_id', 'idx'],
            sqlite_where=ENDED,
            postgresql_where=ENDED,
        )
    with op.batch_alter_table('resource') as batch_op:
        batch_op.add_column(
            sa.Column('status_list', sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table('resource') as batch_op:
        batch_op.alter_column('status_list', server_default=None)


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('resource') as batch_op:
        batch_op.drop_column('status_list')
    with op.batch_alter_table('status_entry') as batch_op:
        batch_op.drop_index('ix_status_entry_ended')
    op.drop_table('status_entry')
    with op.batch_alter_table('status_list') as batch_op:
        batch_op.drop_index('ix_status_list_open_until')
    op.drop_table('status_list')
