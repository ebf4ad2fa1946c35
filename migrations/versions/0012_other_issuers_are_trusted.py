"""other issuers are trusted."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'trusted_issuer',
        sa.Column('issuer', sa.String(length=512), nullable=False),
        sa.Column('details', sa.JSON(), nullable=False),
        sa.Column('created_at', Utc(), nullable=False),
        sa.PrimaryKeyConstraint('issuer', name=op.f('pk_trusted_issuer')),
    )


def downgrade() -> None:
    """Backwards."""
    op.drop_table('trusted_issuer')
