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
    op.create_table(
        "unsent_first",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("copies", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_unsent_first_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_unsent_first_contact_id_contact"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_unsent_first_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "account_id", name=op.f("pk_unsent_first")),
    )
    op.create_index(op.f("ix_unsent_first_account_id"), "unsent_first", ["account_id"], unique=False)
    op.create_index(op.f("ix_unsent_first_contact_id"), "unsent_first", ["contact_id"], unique=False)
    op.create_index(
        "ix_deal_standing",
        "deal",
        ["stage_id", "stage_entered_at", "id"],
        unique=False,
        postgresql_where=sa.text("outcome IS NULL"),
    )
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
    op.drop_index("ix_deal_standing", table_name="deal", postgresql_where=sa.text("outcome IS NULL"))
    op.drop_index(op.f("ix_unsent_first_contact_id"), table_name="unsent_first")
    op.drop_index(op.f("ix_unsent_first_account_id"), table_name="unsent_first")
    op.drop_table("unsent_first")
