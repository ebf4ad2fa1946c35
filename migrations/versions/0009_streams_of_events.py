"""streams of events, whom they name, and what waits for them."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0009'
down_revision = '0008'

HELD = sa.text("state = 'held'")


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'stream',
        sa.Column('id', sa.String(length=43), nullable=False),
        sa.Column('client_id', sa.String(length=255), nullable=False),
        sa.Column('description', sa.String(length=512), nullable=True),
        sa.Column('events_requested', sa.JSON(), nullable=False),
        sa.Column('method', sa.String(length=32), nullable=False),
        sa.Column('endpoint_url', sa.String(length=2048), nullable=True),
        sa.Column('sealed_header', sa.LargeBinary(), nullable=True),
        sa.Column('status', sa.String(length=16), nullable=False),
        sa.Column('reason', sa.String(length=512), nullable=True),
        sa.Column('verified_at', Utc(), nullable=True),
        sa.Column('created_at', Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ['client_id'],
            ['client.client_id'],
            name=op.f('fk_stream_client_id_client'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_stream')),
    )
    with op.batch_alter_table('stream') as batch_op:
        batch_op.create_index('ix_stream_client_id', ['client_id'])
    op.create_table(
        'stream_subject',
        sa.Column('stream_id', sa.String(length=43), nullable=False),
        sa.Column('key', sa.LargeBinary(), nullable=False),
        sa.Column('subject', sa.JSON(), nullable=False),
        sa.Column('wanted', sa.Boolean(), nullable=False),
        sa.Column('created_at', Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ['stream_id'],
            ['stream.id'],
            name=op.f('fk_stream_subject_stream_id_stream'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('stream_id', 'key', name=op.f('pk_stream_subject')),
    )
    with op.batch_alter_table('delivery') as batch_op:
        batch_op.add_column(sa.Column('stream_id', sa.String(length=43), nullable=True))
        batch_op.create_index('ix_delivery_stream_id', ['stream_id', 'id'])
        batch_op.create_index(
            'ix_delivery_held', ['created_at'], sqlite_where=HELD, postgresql_where=HELD
        )


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table('delivery') as batch_op:
        batch_op.drop_index('ix_delivery_held')
        batch_op.drop_index('ix_delivery_stream_id')
        batch_op.drop_column('stream_id')
    op.drop_table('stream_subject')
    with op.batch_alter_table('stream') as batch_op:
        batch_op.drop_index('ix_stream_client_id')
    op.drop_table('stream')
