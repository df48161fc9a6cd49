"""What was still missing.

Revision 0004, after 0003, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.migrations import data_0004

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    op.add_column("suppression", sa.Column("wish", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    data_0004.upgrade_data()


def downgrade() -> None:
    """Undo it."""
    op.drop_column("suppression", "wish")
