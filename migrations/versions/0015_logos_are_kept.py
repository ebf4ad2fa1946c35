"""logos are kept."""

import sqlalchemy as sa
from alembic import op

from idp.store import Utc


revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        'client_logo',
        sa.Column('client_id', sa.String(length=255), nullable=False),
        sa.Column('uri', sa.String(length=2048), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('body', sa.LargeBinary(), nullable=False),
        sa.Column('fetched_at', Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ['client_id'],
            ['client.client_id'],
            name=op.f('fk_client_logo_client_id_client'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('client_id', name=op.f('pk_client_logo')),
    )


def downgrade() -> None:
    """Backwards."""
    op.drop_table('client_logo')
