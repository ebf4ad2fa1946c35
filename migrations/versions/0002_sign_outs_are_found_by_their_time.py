"""sign outs are found by their time."""

from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """Forwards."""
    op.create_index('ix_receipt_at', 'receipt', ['at'])


def downgrade() -> None:
    """Back."""
    op.drop_index('ix_receipt_at', table_name='receipt')
