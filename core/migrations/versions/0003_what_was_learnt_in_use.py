"""What was learnt in use.

Revision 0003, after 0002, 2026-11-23.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "kept_answer",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_kept_answer")),
    )
    op.create_table(
        "likely_double",
        sa.Column(
            "kind", sa.Enum("account", "contact", name="pair", native_enum=False, length=40), nullable=False
        ),
        sa.Column("low_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("high_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("kind", "low_id", "high_id", name=op.f("pk_likely_double")),
    )
    op.create_index(
        "ix_likely_double_order", "likely_double", ["kind", "score", "low_id", "high_id"], unique=False
    )
    op.create_table(
        "chosen_voice",
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("voice", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_chosen_voice_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("language", name=op.f("pk_chosen_voice")),
    )
    op.create_table(
        "rehearsal_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("form", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("change", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("deals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("letters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "playing",
                "done",
                "failed",
                "cancelled",
                name="runstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("played", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_rehearsal_run_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsal_run")),
    )
    op.create_index(op.f("ix_rehearsal_run_staff_id"), "rehearsal_run", ["staff_id"], unique=False)
    op.create_table(
        "client_absence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"],
            ["contact.id"],
            name=op.f("fk_client_absence_contact_id_contact"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_absence")),
    )
    op.create_index("ix_client_absence_contact", "client_absence", ["contact_id", "noted_at"], unique=False)
    op.create_table(
        "unsent",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("copies", sa.Text(), server_default="", nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_unsent_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_unsent_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "conversation_id", name=op.f("pk_unsent")),
    )
    op.create_index(op.f("ix_unsent_conversation_id"), "unsent", ["conversation_id"], unique=False)
    op.create_table(
        "enclosure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_enclosure_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_enclosure_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_enclosure_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_enclosure_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enclosure")),
    )
    op.create_index(op.f("ix_enclosure_account_id"), "enclosure", ["account_id"], unique=False)
    op.create_index(op.f("ix_enclosure_conversation_id"), "enclosure", ["conversation_id"], unique=False)
    op.create_index(op.f("ix_enclosure_delivery_id"), "enclosure", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_enclosure_staff_id"), "enclosure", ["staff_id"], unique=False)
    op.add_column("account", sa.Column("completeness", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_index(op.f("ix_account_curator_id"), table_name="account")
    op.create_index(op.f("ix_account_code"), "account", ["code"], unique=False)
    op.create_index(op.f("ix_account_completeness"), "account", ["completeness"], unique=False)
    op.create_index("ix_account_curated", "account", ["curator_id", "id"], unique=False)
    op.add_column("attachment", sa.Column("enclosure_id", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_attachment_enclosure_id"), "attachment", ["enclosure_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_attachment_enclosure_id_enclosure"), "attachment", "enclosure", ["enclosure_id"], ["id"]
    )
    op.create_index(
        "ix_conversation_beside",
        "conversation",
        ["beside_id"],
        unique=False,
        postgresql_where=sa.text("beside_id IS NOT NULL"),
    )
    op.create_index(
        "ix_conversation_open",
        "conversation",
        [sa.literal_column("last_message_at DESC"), sa.literal_column("id DESC")],
        unique=False,
        postgresql_include=["assignee_id", "team_id", "account_id", "snoozed_until"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.add_column(
        "deal",
        sa.Column("dismissed", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.add_column("delivery", sa.Column("copy_of_id", sa.BigInteger(), nullable=True))
    op.add_column("delivery", sa.Column("addressed", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("delivery", sa.Column("versions", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_index(
        "ix_delivery_copy",
        "delivery",
        ["copy_of_id"],
        unique=False,
        postgresql_where=sa.text("copy_of_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_delivery_copy_of_id_delivery"), "delivery", "delivery", ["copy_of_id"], ["id"]
    )
    op.add_column("stage_change", sa.Column("found", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    """Undo it."""
    op.drop_column("stage_change", "found")
    op.drop_constraint(op.f("fk_delivery_copy_of_id_delivery"), "delivery", type_="foreignkey")
    op.drop_index(
        "ix_delivery_copy", table_name="delivery", postgresql_where=sa.text("copy_of_id IS NOT NULL")
    )
    op.drop_column("delivery", "versions")
    op.drop_column("delivery", "addressed")
    op.drop_column("delivery", "copy_of_id")
    op.drop_column("deal", "dismissed")
    op.drop_index(
        "ix_conversation_open",
        table_name="conversation",
        postgresql_include=["assignee_id", "team_id", "account_id", "snoozed_until"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(
        "ix_conversation_beside", table_name="conversation", postgresql_where=sa.text("beside_id IS NOT NULL")
    )
    op.drop_constraint(op.f("fk_attachment_enclosure_id_enclosure"), "attachment", type_="foreignkey")
    op.drop_index(op.f("ix_attachment_enclosure_id"), table_name="attachment")
    op.drop_column("attachment", "enclosure_id")
    op.drop_index("ix_account_curated", table_name="account")
    op.drop_index(op.f("ix_account_completeness"), table_name="account")
    op.drop_index(op.f("ix_account_code"), table_name="account")
    op.create_index(op.f("ix_account_curator_id"), "account", ["curator_id"], unique=False)
    op.drop_column("account", "completeness")
    op.drop_index(op.f("ix_enclosure_staff_id"), table_name="enclosure")
    op.drop_index(op.f("ix_enclosure_delivery_id"), table_name="enclosure")
    op.drop_index(op.f("ix_enclosure_conversation_id"), table_name="enclosure")
    op.drop_index(op.f("ix_enclosure_account_id"), table_name="enclosure")
    op.drop_table("enclosure")
    op.drop_index(op.f("ix_unsent_conversation_id"), table_name="unsent")
    op.drop_table("unsent")
    op.drop_index("ix_client_absence_contact", table_name="client_absence")
    op.drop_table("client_absence")
    op.drop_index(op.f("ix_rehearsal_run_staff_id"), table_name="rehearsal_run")
    op.drop_table("rehearsal_run")
    op.drop_table("chosen_voice")
    op.drop_index("ix_likely_double_order", table_name="likely_double")
    op.drop_table("likely_double")
    op.drop_table("kept_answer")
