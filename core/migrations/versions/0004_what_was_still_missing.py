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
    op.add_column("task", sa.Column("planned_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_task_planned_by_staff_member"), "task", "staff_member", ["planned_by"], ["id"]
    )
    data_0004.upgrade_data()


def downgrade() -> None:
    """Undo it."""
    op.drop_constraint(op.f("fk_task_planned_by_staff_member"), "task", type_="foreignkey")
    op.drop_column("task", "planned_by")
    op.drop_column("suppression", "wish")
