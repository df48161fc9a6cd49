"""The whole office.

Revision 0002, after 0001, 2026-11-22.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.migrations import data_0002

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the schema."""
    op.create_table(
        "fact_progress",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settled_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ahead_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ahead_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fact_progress")),
    )
    op.create_table(
        "look",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_look")),
    )
    op.create_table(
        "notice_cursor",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_notice_cursor")),
    )
    op.create_table(
        "territory",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("countries", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_territory")),
        sa.UniqueConstraint("name", name=op.f("uq_territory_name")),
    )
    op.create_table(
        "approval_rule",
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("least_total", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["staff_member.id"], name=op.f("fk_approval_rule_changed_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("template", name=op.f("pk_approval_rule")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("deed", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_audit_entry_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index("ix_audit_entry_object", "audit_entry", ["kind", "object_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_staff_id"), "audit_entry", ["staff_id"], unique=False)
    op.create_table(
        "client_merge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "kind", sa.Enum("account", "contact", name="pair", native_enum=False, length=40), nullable=False
        ),
        sa.Column("stays_id", sa.BigInteger(), nullable=False),
        sa.Column("gone_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("gone_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("filled", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_client_merge_staff_id_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["staff_member.id"], name=op.f("fk_client_merge_undone_by_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_merge")),
    )
    op.create_index(op.f("ix_client_merge_account_id"), "client_merge", ["account_id"], unique=False)
    op.create_index(
        "ix_client_merge_gone",
        "client_merge",
        ["kind", "gone_id"],
        unique=False,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_index("ix_client_merge_stays", "client_merge", ["kind", "stays_id"], unique=False)
    op.create_table(
        "contact_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_contact_list_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_list")),
        sa.UniqueConstraint("name", name=op.f("uq_contact_list_name")),
    )
    op.create_table(
        "demo_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("templates", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("days", sa.BigInteger(), server_default="14", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("added_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"], ["staff_member.id"], name=op.f("fk_demo_file_added_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_file")),
    )
    op.create_index(op.f("ix_demo_file_sha256"), "demo_file", ["sha256"], unique=False)
    op.create_table(
        "kept_apart",
        sa.Column(
            "kind", sa.Enum("account", "contact", name="pair", native_enum=False, length=40), nullable=False
        ),
        sa.Column("low_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("high_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_kept_apart_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("kind", "low_id", "high_id", name=op.f("pk_kept_apart")),
    )
    op.create_index(op.f("ix_kept_apart_high_id"), "kept_apart", ["high_id"], unique=False)
    op.create_table(
        "notice_choice",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ways", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("away_minutes", sa.BigInteger(), server_default="10", nullable=False),
        sa.Column("digest_minutes", sa.BigInteger(), server_default="60", nullable=False),
        sa.Column("quiet_from", sa.Time(), server_default="19:00", nullable=False),
        sa.Column("quiet_until", sa.Time(), server_default="07:30", nullable=False),
        sa.Column("quiet_days_off", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("morning", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("morning_at", sa.Time(), server_default="08:00", nullable=False),
        sa.Column("reminder_minutes", sa.BigInteger(), server_default="15", nullable=False),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("last_mail_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_notice_choice_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_notice_choice")),
    )
    op.create_table(
        "pipeline_draft",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["staff_member.id"], name=op.f("fk_pipeline_draft_changed_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_pipeline_draft")),
    )
    op.create_table(
        "routing_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_routing_rule_staff_id_staff_member")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_routing_rule_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_rule")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("filters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_saved_view_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_staff_id"), "saved_view", ["staff_id"], unique=False)
    op.create_table(
        "segment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ready", sa.Text(), nullable=True),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("rank", sa.BigInteger(), server_default="100", nullable=False),
        sa.Column("marks_traffic", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("members", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_segment_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
    )
    op.create_index("uq_segment_ready", "segment", ["ready"], unique=True)
    op.create_table(
        "staff_invitation",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_staff_invitation_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_invitation_token_hash")),
    )
    op.create_table(
        "template",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("company", "team", "mine", name="templatescope", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("names", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["staff_member.id"], name=op.f("fk_template_created_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_template_staff_id_staff_member")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_template_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
    )
    op.create_index(op.f("ix_template_staff_id"), "template", ["staff_id"], unique=False)
    op.create_index(op.f("ix_template_team_id"), "template", ["team_id"], unique=False)
    op.create_index(
        "uq_template_place",
        "template",
        ["kind", "key", "scope", "team_id", "staff_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "template_preview",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_template_preview_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_template_preview")),
    )
    op.create_index(op.f("ix_template_preview_staff_id"), "template_preview", ["staff_id"], unique=False)
    op.create_table(
        "territory_staff",
        sa.Column("territory_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_territory_staff_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"],
            ["territory.id"],
            name=op.f("fk_territory_staff_territory_id_territory"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("territory_id", "staff_id", name=op.f("pk_territory_staff")),
    )
    op.create_index(op.f("ix_territory_staff_staff_id"), "territory_staff", ["staff_id"], unique=False)
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "scheduled",
                "running",
                "paused",
                "asking",
                "finished",
                "cancelled",
                name="campaignstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum("email", "sms", "voice", "fax", name="channel", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("topic", sa.Text(), server_default="offers", nullable=False),
        sa.Column("needs_consent", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=True),
        sa.Column("list_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_ids", postgresql.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("in_own_name", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("mailbox", sa.Text(), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("local_time", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("pace_per_minute", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("patience_hours", sa.BigInteger(), server_default="72", nullable=False),
        sa.Column("test_percent", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("test_hours", sa.BigInteger(), server_default="24", nullable=False),
        sa.Column(
            "goal",
            sa.Enum("replies", "deals", name="goal", native_enum=False, length=40),
            server_default="replies",
            nullable=False,
        ),
        sa.Column("winner", sa.Text(), nullable=True),
        sa.Column("winner_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("frozen_upto", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["contact_list.id"], name=op.f("fk_campaign_list_id_contact_list")
        ),
        sa.ForeignKeyConstraint(["segment_id"], ["segment.id"], name=op.f("fk_campaign_segment_id_segment")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_campaign_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    op.create_index(
        "ix_campaign_live",
        "campaign",
        ["state", "start_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('scheduled', 'running')"),
    )
    op.create_table(
        "import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("looked_at", "done", "undone", name="importstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["list_id"], ["contact_list.id"], name=op.f("fk_import_list_id_contact_list")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_import_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
    )
    op.create_table(
        "segment_revision",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_segment_revision_segment_id_segment")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_segment_revision_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("segment_id", "revision", name=op.f("pk_segment_revision")),
    )
    op.create_table(
        "template_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("texts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("restored_from", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["staff_member.id"], name=op.f("fk_template_version_created_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["template.id"], name=op.f("fk_template_version_template_id_template")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_version")),
    )
    op.create_index("uq_template_version", "template_version", ["template_id", "number"], unique=True)
    op.create_table(
        "campaign_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "scheduled",
                "running",
                "paused",
                "asking",
                "finished",
                "cancelled",
                name="campaignstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_event_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_campaign_event_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_event")),
    )
    op.create_index(op.f("ix_campaign_event_campaign_id"), "campaign_event", ["campaign_id"], unique=False)
    op.create_table(
        "campaign_text",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_text_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_campaign_text_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_text")),
    )
    op.create_index(
        "uq_campaign_text_current",
        "campaign_text",
        ["campaign_id", "variant", "language"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "contact_intent",
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_intent_contact_id_contact")
        ),
        sa.PrimaryKeyConstraint("contact_id", "intent", name=op.f("pk_contact_intent")),
    )
    op.create_index(
        "ix_contact_intent_recent", "contact_intent", ["intent", "last_at", "contact_id"], unique=False
    )
    op.create_table(
        "contact_list_member",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_list_member_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["contact_list.id"], name=op.f("fk_contact_list_member_list_id_contact_list")
        ),
        sa.PrimaryKeyConstraint("list_id", "contact_id", name=op.f("pk_contact_list_member")),
    )
    op.create_index(
        op.f("ix_contact_list_member_contact_id"), "contact_list_member", ["contact_id"], unique=False
    )
    op.create_table(
        "import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("added", "filled", "same", "refused", name="rowoutcome", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_import_row_import_id_import")),
        sa.PrimaryKeyConstraint("import_id", "row", name=op.f("pk_import_row")),
    )
    op.create_table(
        "segment_member",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_segment_member_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("fk_segment_member_segment_id_segment")
        ),
        sa.PrimaryKeyConstraint("segment_id", "contact_id", name=op.f("pk_segment_member")),
    )
    op.create_index(op.f("ix_segment_member_contact_id"), "segment_member", ["contact_id"], unique=False)
    op.create_table(
        "checklist_mark",
        sa.Column("deal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage_key", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_checklist_mark_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_checklist_mark_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("deal_id", "stage_key", "item", name=op.f("pk_checklist_mark")),
    )
    op.create_table(
        "delivery_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_delivery_note_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_delivery_note_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_note")),
    )
    op.create_index(op.f("ix_delivery_note_deal_id"), "delivery_note", ["deal_id"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_payment_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_payment_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index(op.f("ix_payment_deal_id"), "payment", ["deal_id"], unique=False)
    op.create_table(
        "conversation_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("into_id", sa.BigInteger(), nullable=False),
        sa.Column("message_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("thread_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("delivery_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("task_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("call_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("beside_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_id"], ["conversation.id"], name=op.f("fk_conversation_move_from_id_conversation")
        ),
        sa.ForeignKeyConstraint(
            ["into_id"], ["conversation.id"], name=op.f("fk_conversation_move_into_id_conversation")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_conversation_move_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation_move")),
    )
    op.create_index(op.f("ix_conversation_move_from_id"), "conversation_move", ["from_id"], unique=False)
    op.create_index(op.f("ix_conversation_move_into_id"), "conversation_move", ["into_id"], unique=False)
    op.create_table(
        "meeting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("demo", "meeting", "call", name="meetingkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("planned", "cancelled", name="meetingstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("agenda", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organizer_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("deal_id", sa.BigInteger(), nullable=True),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("mailbox", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_meeting_account_id_account")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_meeting_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_meeting_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_meeting_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["staff_member.id"], name=op.f("fk_meeting_organizer_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("uid", name=op.f("uq_meeting_uid")),
    )
    op.create_index(op.f("ix_meeting_account_id"), "meeting", ["account_id"], unique=False)
    op.create_index(op.f("ix_meeting_contact_id"), "meeting", ["contact_id"], unique=False)
    op.create_index(op.f("ix_meeting_conversation_id"), "meeting", ["conversation_id"], unique=False)
    op.create_index(op.f("ix_meeting_deal_id"), "meeting", ["deal_id"], unique=False)
    op.create_index(op.f("ix_meeting_organizer_id"), "meeting", ["organizer_id"], unique=False)
    op.create_index(op.f("ix_meeting_starts_at"), "meeting", ["starts_at"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_note_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_note_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    op.create_index(op.f("ix_note_conversation_id"), "note", ["conversation_id"], unique=False)
    op.create_table(
        "approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "approved",
                "returned",
                "outdated",
                "withdrawn",
                name="approvalstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "cause",
            sa.Enum("template", "stage", "offer", "step", "hand", name="cause", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("approver_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("standing_in", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("asker_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asker_id"], ["staff_member.id"], name=op.f("fk_approval_asker_id_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["staff_member.id"], name=op.f("fk_approval_decided_by_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_approval_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_approval_delivery_id")),
    )
    op.create_index(op.f("ix_approval_asker_id"), "approval", ["asker_id"], unique=False)
    op.create_index(
        "ix_approval_open",
        "approval",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'returned', 'outdated')"),
    )
    op.create_table(
        "campaign_recipient",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "queued", "skipped", name="recipientstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("variant", sa.Text(), nullable=True),
        sa.Column("domain", sa.Text(), server_default="", nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "skip",
            sa.Enum(
                "no_address",
                "suppressed",
                "consent_withdrawn",
                "no_consent",
                "duplicate",
                "no_text",
                "pressure",
                "machine",
                name="skip",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_recipient_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_campaign_recipient_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_campaign_recipient_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "contact_id", name=op.f("pk_campaign_recipient")),
    )
    op.create_index("ix_campaign_recipient_contact", "campaign_recipient", ["contact_id"], unique=False)
    op.create_index("ix_campaign_recipient_delivery", "campaign_recipient", ["delivery_id"], unique=False)
    op.create_index(
        "ix_campaign_recipient_waiting",
        "campaign_recipient",
        ["campaign_id", "due_at", "contact_id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "demo_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("downloads", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_demo_link_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_demo_link_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["demo_file.id"], name=op.f("fk_demo_link_file_id_demo_file")),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["staff_member.id"], name=op.f("fk_demo_link_revoked_by_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_link")),
        sa.UniqueConstraint("key", name=op.f("uq_demo_link_key")),
    )
    op.create_index(op.f("ix_demo_link_contact_id"), "demo_link", ["contact_id"], unique=False)
    op.create_index(op.f("ix_demo_link_delivery_id"), "demo_link", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_demo_link_file_id"), "demo_link", ["file_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("deal_id", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=True),
        sa.Column("from_id", sa.BigInteger(), nullable=True),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("brief", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["stage_change.id"], name=op.f("fk_handover_change_id_stage_change")
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_handover_deal_id_deal")),
        sa.ForeignKeyConstraint(
            ["from_id"], ["staff_member.id"], name=op.f("fk_handover_from_id_staff_member")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_handover_task_id_task")),
        sa.ForeignKeyConstraint(["to_id"], ["staff_member.id"], name=op.f("fk_handover_to_id_staff_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_deal_id"), "handover", ["deal_id"], unique=False)
    op.create_index(op.f("ix_handover_to_id"), "handover", ["to_id"], unique=False)
    op.create_table(
        "meeting_attendee",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("invited", sa.Boolean(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "none",
                "accepted",
                "declined",
                "tentative",
                "proposed",
                name="answer",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_sequence", sa.BigInteger(), nullable=True),
        sa.Column("answered_stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("proposed_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_end", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_meeting_attendee_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meeting.id"],
            name=op.f("fk_meeting_attendee_meeting_id_meeting"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_meeting_attendee_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_attendee")),
    )
    op.create_index(op.f("ix_meeting_attendee_contact_id"), "meeting_attendee", ["contact_id"], unique=False)
    op.create_index(op.f("ix_meeting_attendee_staff_id"), "meeting_attendee", ["staff_id"], unique=False)
    op.create_index("uq_meeting_attendee", "meeting_attendee", ["meeting_id", "address"], unique=True)
    op.create_table(
        "meeting_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "deed",
            sa.Enum(
                "planned",
                "changed",
                "cancelled",
                "restored",
                "answered",
                "forwarded",
                "outdated",
                "refused",
                "kept",
                name="deed",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("raw_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "answer",
            sa.Enum(
                "none",
                "accepted",
                "declined",
                "tentative",
                "proposed",
                name="answer",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meeting.id"],
            name=op.f("fk_meeting_event_meeting_id_meeting"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["raw_id"], ["raw_message.id"], name=op.f("fk_meeting_event_raw_id_raw_message")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_meeting_event_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_event")),
    )
    op.create_index(op.f("ix_meeting_event_meeting_id"), "meeting_event", ["meeting_id"], unique=False)
    op.create_table(
        "morning_plan",
        sa.Column("staff_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_morning_plan_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_morning_plan_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "day", name=op.f("pk_morning_plan")),
    )
    op.create_table(
        "note_mention",
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["note_id"], ["note.id"], name=op.f("fk_note_mention_note_id_note"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_note_mention_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_note_mention_task_id_task"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("note_id", "staff_id", name=op.f("pk_note_mention")),
    )
    op.create_index(op.f("ix_note_mention_staff_id"), "note_mention", ["staff_id"], unique=False)
    op.create_table(
        "phone_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("sms", "message", "click", name="orderkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum("email", "sms", "voice", "fax", name="channel", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("dialled", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "accepted",
                "scheduled",
                "queued",
                "sending",
                "sent",
                "canceled",
                "failed",
                "delivered",
                "read",
                "undelivered",
                name="textstatus",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("pressed", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("looked_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_phone_order_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_order")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_phone_order_delivery_id")),
        sa.UniqueConstraint("sid", name=op.f("uq_phone_order_sid")),
    )
    op.create_index("ix_phone_order_number", "phone_order", ["number", "ordered_at"], unique=False)
    op.create_index(op.f("ix_phone_order_ordered_at"), "phone_order", ["ordered_at"], unique=False)
    op.create_table(
        "staff_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "assigned",
                "reply",
                "mentioned",
                "missed_call",
                "ring",
                "approval",
                "task_due",
                "meeting",
                name="kind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "told", "needless", name="noticestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=True),
        sa.Column("task_id", sa.BigInteger(), nullable=True),
        sa.Column("meeting_id", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_staff_notice_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_staff_notice_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["meeting.id"],
            name=op.f("fk_staff_notice_meeting_id_meeting"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff_member.id"],
            name=op.f("fk_staff_notice_staff_id_staff_member"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_id"], ["task.id"], name=op.f("fk_staff_notice_task_id_task"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_notice")),
    )
    op.create_index(op.f("ix_staff_notice_delivery_id"), "staff_notice", ["delivery_id"], unique=False)
    op.create_index(
        "ix_staff_notice_reminders",
        "staff_notice",
        ["staff_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'task_due'"),
    )
    op.create_index(
        "ix_staff_notice_waiting",
        "staff_notice",
        ["staff_id"],
        unique=False,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("uq_staff_notice_key", "staff_notice", ["staff_id", "key"], unique=True)
    op.create_table(
        "template_use",
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_template_use_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["template_version.id"], name=op.f("fk_template_use_version_id_template_version")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "kind", "key", name=op.f("pk_template_use")),
    )
    op.create_index("ix_template_use_key", "template_use", ["kind", "key", "delivery_id"], unique=False)
    op.create_index(op.f("ix_template_use_version_id"), "template_use", ["version_id"], unique=False)
    op.create_table(
        "demo_visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("link_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "deed", sa.Enum("looked", "downloaded", name="deed", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "visitor",
            sa.Enum("person", "machine", "unclear", name="visitor", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["demo_link.id"], name=op.f("fk_demo_visit_link_id_demo_link")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_visit")),
    )
    op.create_index("ix_demo_visit_link", "demo_visit", ["link_id", "at"], unique=False)
    op.create_table(
        "document_sending",
        sa.Column("delivery_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_document_sending_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_document_sending_document_id_document")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "document_id", name=op.f("pk_document_sending")),
    )
    op.create_index(
        op.f("ix_document_sending_document_id"), "document_sending", ["document_id"], unique=False
    )
    op.create_table(
        "field_origin",
        sa.Column(
            "subject",
            sa.Enum("account", "contact", "point", name="subject", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("subject_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "signature",
                "letter",
                "call",
                "import",
                "person",
                "deal",
                "merge",
                "unknown",
                name="origin",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import.id"], name=op.f("fk_field_origin_import_id_import")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_field_origin_message_id_message"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_member.id"], name=op.f("fk_field_origin_staff_id_staff_member")
        ),
        sa.PrimaryKeyConstraint("subject", "subject_id", "field", name=op.f("pk_field_origin")),
    )
    op.create_index(op.f("ix_field_origin_import_id"), "field_origin", ["import_id"], unique=False)
    op.create_index(op.f("ix_field_origin_message_id"), "field_origin", ["message_id"], unique=False)
    op.create_table(
        "message_words",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_message_words_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message_words")),
    )
    op.create_index(
        "ix_message_words_newest",
        "message_words",
        [sa.literal_column("happened_at DESC"), sa.literal_column("message_id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_message_words_words", "message_words", ["words"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "search_waiting",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["message.id"],
            name=op.f("fk_search_waiting_message_id_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_search_waiting")),
    )
    op.create_table(
        "suggestion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "name", "position", "company", "phone", name="suggestionkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "accepted", "refused", name="suggestionstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("replaced", sa.Text(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_suggestion_contact_id_contact"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["staff_member.id"], name=op.f("fk_suggestion_decided_by_id_staff_member")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_suggestion_message_id_message"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint("contact_id", "kind", "value", name=op.f("uq_suggestion_contact_id_kind_value")),
    )
    op.create_index(op.f("ix_suggestion_message_id"), "suggestion", ["message_id"], unique=False)
    op.create_table(
        "template_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_template_file_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["template_version.id"], name=op.f("fk_template_file_version_id_template_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_file")),
    )
    op.create_index(op.f("ix_template_file_document_id"), "template_file", ["document_id"], unique=False)
    op.create_index(op.f("ix_template_file_version_id"), "template_file", ["version_id"], unique=False)
    op.create_table(
        "transcript_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column(
            "speaker",
            sa.Enum("client", "us", "unknown", name="speaker", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["call.id"], name=op.f("fk_transcript_line_call_id_call")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcript_line")),
        sa.UniqueConstraint(
            "call_id", "source", "position", name=op.f("uq_transcript_line_call_id_source_position")
        ),
    )
    op.create_table(
        "sound_piece",
        sa.Column("recording_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recording.id"],
            name=op.f("fk_sound_piece_recording_id_recording"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "position", name=op.f("pk_sound_piece")),
    )
    op.add_column("absence", sa.Column("deputy_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_absence_deputy_id_staff_member"), "absence", "staff_member", ["deputy_id"], ["id"]
    )
    op.add_column("account", sa.Column("employees", sa.BigInteger(), nullable=True))
    op.add_column(
        "account", sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("account", sa.Column("first_reason", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("last_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("account", sa.Column("last_out_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_account_code_key",
        "account",
        [sa.literal_column("regexp_replace(code, '[^0-9]+', '', 'g')").label("code_key")],
        unique=False,
    )
    op.create_index(op.f("ix_account_industry"), "account", ["industry"], unique=False)
    op.create_index(
        "ix_account_lately",
        "account",
        [sa.literal_column("coalesce(last_in_at, created_at)").label("lately"), "id"],
        unique=False,
    )
    op.create_index(
        "ix_account_name_key",
        "account",
        [
            sa.literal_column(
                "regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(translate(lower(name), 'абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґўąčęėįšųūžäöüõåøéóāēģīķļņłżźśćńъь', 'abvgdeezziiklmnoprstufhccssieuaiieguaceeisuuzaouoaoeoaegiklnlzzscn'), '[^a-z0-9]+', ' ', 'g'), '\\m(uzdaroji akcine bendrove|akcine bendrove|mazoji bendrija|individuali imone|viesoji istaiga|obsestvo s ogranicennoi otvetstvennostu|akcionernoe obsestvo|sp z o o|spzoo|u a b|o o o|uab|vsi|mb|ab|ii|ooo|oao|zao|pao|ao|ip|too|odo|cup|limited|ltd|llc|llp|plc|inc|corp|co|gmbh|ag|kg|sia|as|ou|oy|oyj|aps|sa|srl|bv|nv)\\M', '', 'g'), ' +', '', 'g'), 's(h?c)?h', 's', 'g'), 'ch', 'c', 'g'), 'zh', 'z', 'g'), 'kh', 'h', 'g'), 't[sz]', 'c', 'g'), 'ph', 'f', 'g'), 'ck', 'k', 'g'), 'w', 'v', 'g'), 'x', 'ks', 'g'), 'q', 'k', 'g'), '[yij]+([aeu])', '\\1', 'g'), '[yij]+', 'i', 'g'), '(.)\\1+', '\\1', 'g')"
            ).label("name_key")
        ],
        unique=False,
    )
    op.create_index(
        "ix_account_name_key_part",
        "account",
        [
            sa.literal_column(
                "regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(translate(lower(name), 'абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґўąčęėįšųūžäöüõåøéóāēģīķļņłżźśćńъь', 'abvgdeezziiklmnoprstufhccssieuaiieguaceeisuuzaouoaoeoaegiklnlzzscn'), '[^a-z0-9]+', ' ', 'g'), '\\m(uzdaroji akcine bendrove|akcine bendrove|mazoji bendrija|individuali imone|viesoji istaiga|obsestvo s ogranicennoi otvetstvennostu|akcionernoe obsestvo|sp z o o|spzoo|u a b|o o o|uab|vsi|mb|ab|ii|ooo|oao|zao|pao|ao|ip|too|odo|cup|limited|ltd|llc|llp|plc|inc|corp|co|gmbh|ag|kg|sia|as|ou|oy|oyj|aps|sa|srl|bv|nv)\\M', '', 'g'), ' +', '', 'g'), 's(h?c)?h', 's', 'g'), 'ch', 'c', 'g'), 'zh', 'z', 'g'), 'kh', 'h', 'g'), 't[sz]', 'c', 'g'), 'ph', 'f', 'g'), 'ck', 'k', 'g'), 'w', 'v', 'g'), 'x', 'ks', 'g'), 'q', 'k', 'g'), '[yij]+([aeu])', '\\1', 'g'), '[yij]+', 'i', 'g'), '(.)\\1+', '\\1', 'g')"
            ).label("part")
        ],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"part": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_account_plain_name",
        "account",
        [
            sa.literal_column(
                "lower(translate(name, 'ĄČĘĖĮŠŲŪŽąčęėįšųūžÄÖÜÕÅØÉÓĀĒĢĪĶĻŅäöüõåøéóāēģīķļņŁłŻżŚśĆćŃńЁё', 'ACEEISUUZaceeisuuzAOUOAOEOAEGIKLNaouoaoeoaegiklnLlZzSsCcNnЕе'))"
            ).label("plain")
        ],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"plain": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_account_region"), "account", ["region"], unique=False)
    op.add_column(
        "call",
        sa.Column(
            "rung", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
    )
    op.add_column(
        "call",
        sa.Column(
            "dismissed",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.add_column(
        "call",
        sa.Column(
            "outcome",
            sa.Enum(
                "talked",
                "next_step",
                "no_answer",
                "refused",
                "wrong_number",
                name="calloutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
    )
    op.add_column("call", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("call", sa.Column("noted_by_id", sa.BigInteger(), nullable=True))
    op.add_column("call", sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call", sa.Column("next_task_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_call_next_task_id_task"), "call", "task", ["next_task_id"], ["id"])
    op.create_foreign_key(
        op.f("fk_call_noted_by_id_staff_member"), "call", "staff_member", ["noted_by_id"], ["id"]
    )
    op.add_column("contact", sa.Column("away_until", sa.Date(), nullable=True))
    op.add_column(
        "contact", sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("contact", sa.Column("last_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact", sa.Column("last_out_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("contact", sa.Column("last_mailing_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_contact_plain_name",
        "contact",
        [
            sa.literal_column(
                "lower(translate(name, 'ĄČĘĖĮŠŲŪŽąčęėįšųūžÄÖÜÕÅØÉÓĀĒĢĪĶĻŅäöüõåøéóāēģīķļņŁłŻżŚśĆćŃńЁё', 'ACEEISUUZaceeisuuzAOUOAOEOAEGIKLNaouoaoeoaegiklnLlZzSsCcNnЕе'))"
            ).label("plain")
        ],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"plain": "gin_trgm_ops"},
    )
    op.add_column(
        "contact_point",
        sa.Column(
            "key",
            sa.Text(),
            sa.Computed("regexp_replace(value, '^([^@+]+)\\+[^@]*@', '\\1@')", persisted=True),
            nullable=False,
        ),
    )
    op.add_column("contact_point", sa.Column("main", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("contact_point", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.create_index(
        "ix_contact_point_domain",
        "contact_point",
        [sa.literal_column("split_part(value, '@', 2)").label("domain")],
        unique=False,
        postgresql_where=sa.text("kind = 'email'"),
    )
    op.create_index(op.f("ix_contact_point_key"), "contact_point", ["key"], unique=False)
    op.create_index(
        "ix_contact_point_part",
        "contact_point",
        ["value"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"value": "gin_trgm_ops"},
    )
    op.add_column("conversation", sa.Column("beside_id", sa.BigInteger(), nullable=True))
    op.add_column("conversation", sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_conversation_snoozed",
        "conversation",
        ["snoozed_until"],
        unique=False,
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_conversation_beside_id_conversation"), "conversation", "conversation", ["beside_id"], ["id"]
    )
    op.add_column("correction", sa.Column("allowed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "deal",
        sa.Column(
            "initiative",
            sa.Enum("ours", "theirs", name="initiative", native_enum=False, length=40),
            nullable=True,
        ),
    )
    op.add_column("deal", sa.Column("event", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "deal",
        sa.Column(
            "interest",
            sa.Enum("none", "low", "medium", "high", "ready", name="interest", native_enum=False, length=40),
            nullable=True,
        ),
    )
    op.add_column("deal", sa.Column("performer_id", sa.BigInteger(), nullable=True))
    op.add_column("deal", sa.Column("approver", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "deal",
        sa.Column(
            "win_reason",
            sa.Enum(
                "price",
                "product",
                "service",
                "terms",
                "trust",
                "only_us",
                "other",
                name="winreason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
    )
    op.add_column("deal", sa.Column("close_note", sa.Text(), server_default="", nullable=False))
    op.add_column("deal", sa.Column("closed_by", sa.BigInteger(), nullable=True))
    op.create_index("ix_deal_account_id", "deal", ["account_id"], unique=False)
    op.create_index(op.f("ix_deal_performer_id"), "deal", ["performer_id"], unique=False)
    op.create_index(
        "ix_deal_proposed",
        "deal",
        ["id"],
        unique=False,
        postgresql_where=sa.text("proposed_stage_id IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_deal_closed_by_staff_member"), "deal", "staff_member", ["closed_by"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_deal_performer_id_staff_member"), "deal", "staff_member", ["performer_id"], ["id"]
    )
    op.add_column("delivery", sa.Column("segment", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column(
        "delivery",
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.add_column("delivery", sa.Column("campaign_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_delivery_campaign_open",
        "delivery",
        ["campaign_id"],
        unique=False,
        postgresql_where=sa.text(
            "campaign_id IS NOT NULL AND state IN ('queued', 'claimed', 'transmitting', 'deferred')"
        ),
    )
    op.create_foreign_key(
        op.f("fk_delivery_campaign_id_campaign"), "delivery", "campaign", ["campaign_id"], ["id"]
    )
    op.add_column("document", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("document", sa.Column("content", sa.Text(), server_default="", nullable=False))
    op.add_column("enrolment", sa.Column("waits_for", sa.Text(), nullable=True))
    op.add_column("enrolment", sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "enrolment_step",
        sa.Column(
            "result",
            sa.Enum(
                "replied",
                "no_answer",
                "failed",
                "answered",
                "done",
                "not_done",
                "reached",
                "not_reached",
                "interested",
                "not_interested",
                "downloaded",
                name="result",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
    )
    op.add_column("enrolment_step", sa.Column("result_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "message", sa.Column("sender_checks", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column("message", sa.Column("forwarded", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("message", sa.Column("segment", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("pipeline", sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("pipeline", sa.Column("standard", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("pipeline", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("pipeline", sa.Column("created_by", sa.BigInteger(), nullable=True))
    op.add_column(
        "pipeline",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.drop_constraint(op.f("uq_pipeline_key"), "pipeline", type_="unique")
    op.create_index(
        "uq_pipeline_active", "pipeline", ["key"], unique=True, postgresql_where=sa.text("active")
    )
    op.create_index("uq_pipeline_version", "pipeline", ["key", "version"], unique=True)
    op.create_foreign_key(
        op.f("fk_pipeline_created_by_staff_member"), "pipeline", "staff_member", ["created_by"], ["id"]
    )
    op.add_column("raw_message", sa.Column("internal_date", sa.DateTime(timezone=True), nullable=True))
    op.add_column("raw_message", sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column("recording", sa.Column("message", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("recording", sa.Column("next_fetch_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "recording", sa.Column("fetch_attempts", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("recording", sa.Column("fetch_error", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recording", sa.Column("media_type", sa.Text(), nullable=True))
    op.add_column("recording", sa.Column("size", sa.BigInteger(), nullable=True))
    op.add_column("recording", sa.Column("checksum", sa.LargeBinary(), nullable=True))
    op.add_column("recording", sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("recording", sa.Column("next_transcript_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "recording", sa.Column("transcript_attempts", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column("recording", sa.Column("transcript_error", sa.Text(), nullable=True))
    op.create_index(
        "ix_recording_fetch",
        "recording",
        ["next_fetch_at"],
        unique=False,
        postgresql_where=sa.text("next_fetch_at IS NOT NULL"),
    )
    op.create_index(
        "ix_recording_transcribe",
        "recording",
        ["next_transcript_at"],
        unique=False,
        postgresql_where=sa.text("next_transcript_at IS NOT NULL"),
    )
    op.add_column("sequence", sa.Column("exclusive", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("sequence", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "sequence",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column(
        "sequence_step", sa.Column("delay_hours", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "sequence_step", sa.Column("window", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "sequence_step",
        sa.Column("branches", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.add_column("sequence_step", sa.Column("approve", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "staff_member", sa.Column("topics", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column(
        "staff_member",
        sa.Column("industries", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("staff_member", sa.Column("calendar_key", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_staff_member_calendar_key"), "staff_member", ["calendar_key"])
    op.add_column(
        "stage",
        sa.Column("guide", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "stage",
        sa.Column("checklist", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.add_column("stage", sa.Column("norm_hours", sa.BigInteger(), nullable=True))
    op.add_column("stage", sa.Column("performer", sa.Text(), server_default="owner", nullable=False))
    op.add_column(
        "stage",
        sa.Column(
            "performer_rules", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
    )
    op.add_column("stage", sa.Column("approver", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "stage",
        sa.Column(
            "required_fields", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
    )
    op.add_column(
        "stage",
        sa.Column(
            "next_stages", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
    )
    op.add_column(
        "stage",
        sa.Column(
            "proposed_on", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
    )
    op.add_column(
        "stage",
        sa.Column(
            "automatic_on", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
    )
    op.add_column("stage_change", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stage_change", sa.Column("performer_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "stage_change",
        sa.Column("lacking", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_index(
        "ix_stage_change_open",
        "stage_change",
        ["deal_id"],
        unique=False,
        postgresql_where=sa.text("left_at IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_stage_change_performer_id_staff_member"),
        "stage_change",
        "staff_member",
        ["performer_id"],
        ["id"],
    )
    data_0002.upgrade_data()


def downgrade() -> None:
    """Undo it."""
    op.drop_constraint(op.f("fk_stage_change_performer_id_staff_member"), "stage_change", type_="foreignkey")
    op.drop_index(
        "ix_stage_change_open", table_name="stage_change", postgresql_where=sa.text("left_at IS NULL")
    )
    op.drop_column("stage_change", "lacking")
    op.drop_column("stage_change", "performer_id")
    op.drop_column("stage_change", "left_at")
    op.drop_column("stage", "automatic_on")
    op.drop_column("stage", "proposed_on")
    op.drop_column("stage", "next_stages")
    op.drop_column("stage", "required_fields")
    op.drop_column("stage", "approver")
    op.drop_column("stage", "performer_rules")
    op.drop_column("stage", "performer")
    op.drop_column("stage", "norm_hours")
    op.drop_column("stage", "checklist")
    op.drop_column("stage", "guide")
    op.drop_constraint(op.f("uq_staff_member_calendar_key"), "staff_member", type_="unique")
    op.drop_column("staff_member", "calendar_key")
    op.drop_column("staff_member", "industries")
    op.drop_column("staff_member", "topics")
    op.drop_column("sequence_step", "approve")
    op.drop_column("sequence_step", "branches")
    op.drop_column("sequence_step", "window")
    op.drop_column("sequence_step", "delay_hours")
    op.drop_column("sequence", "created_at")
    op.drop_column("sequence", "note")
    op.drop_column("sequence", "exclusive")
    op.drop_index(
        "ix_recording_transcribe",
        table_name="recording",
        postgresql_where=sa.text("next_transcript_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_recording_fetch", table_name="recording", postgresql_where=sa.text("next_fetch_at IS NOT NULL")
    )
    op.drop_column("recording", "transcript_error")
    op.drop_column("recording", "transcript_attempts")
    op.drop_column("recording", "next_transcript_at")
    op.drop_column("recording", "removed_at")
    op.drop_column("recording", "checksum")
    op.drop_column("recording", "size")
    op.drop_column("recording", "media_type")
    op.drop_column("recording", "fetched_at")
    op.drop_column("recording", "fetch_error")
    op.drop_column("recording", "fetch_attempts")
    op.drop_column("recording", "next_fetch_at")
    op.drop_column("recording", "message")
    op.drop_column("raw_message", "files")
    op.drop_column("raw_message", "internal_date")
    op.drop_constraint(op.f("fk_pipeline_created_by_staff_member"), "pipeline", type_="foreignkey")
    op.drop_index("uq_pipeline_version", table_name="pipeline")
    op.drop_index("uq_pipeline_active", table_name="pipeline", postgresql_where=sa.text("active"))
    op.create_unique_constraint(
        op.f("uq_pipeline_key"), "pipeline", ["key"], postgresql_nulls_not_distinct=False
    )
    op.drop_column("pipeline", "created_at")
    op.drop_column("pipeline", "created_by")
    op.drop_column("pipeline", "note")
    op.drop_column("pipeline", "standard")
    op.drop_column("pipeline", "version")
    op.drop_column("message", "segment")
    op.drop_column("message", "forwarded")
    op.drop_column("message", "sender_checks")
    op.drop_column("enrolment_step", "result_at")
    op.drop_column("enrolment_step", "result")
    op.drop_column("enrolment", "replied_at")
    op.drop_column("enrolment", "waits_for")
    op.drop_column("document", "content")
    op.drop_column("document", "version")
    op.drop_constraint(op.f("fk_delivery_campaign_id_campaign"), "delivery", type_="foreignkey")
    op.drop_index(
        "ix_delivery_campaign_open",
        table_name="delivery",
        postgresql_where=sa.text(
            "campaign_id IS NOT NULL AND state IN ('queued', 'claimed', 'transmitting', 'deferred')"
        ),
    )
    op.drop_column("delivery", "campaign_id")
    op.drop_column("delivery", "files")
    op.drop_column("delivery", "segment")
    op.drop_constraint(op.f("fk_deal_performer_id_staff_member"), "deal", type_="foreignkey")
    op.drop_constraint(op.f("fk_deal_closed_by_staff_member"), "deal", type_="foreignkey")
    op.drop_index(
        "ix_deal_proposed", table_name="deal", postgresql_where=sa.text("proposed_stage_id IS NOT NULL")
    )
    op.drop_index(op.f("ix_deal_performer_id"), table_name="deal")
    op.drop_index("ix_deal_account_id", table_name="deal")
    op.drop_column("deal", "closed_by")
    op.drop_column("deal", "close_note")
    op.drop_column("deal", "win_reason")
    op.drop_column("deal", "approver")
    op.drop_column("deal", "performer_id")
    op.drop_column("deal", "interest")
    op.drop_column("deal", "event")
    op.drop_column("deal", "initiative")
    op.drop_column("correction", "allowed_at")
    op.drop_constraint(op.f("fk_conversation_beside_id_conversation"), "conversation", type_="foreignkey")
    op.drop_index(
        "ix_conversation_snoozed",
        table_name="conversation",
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )
    op.drop_column("conversation", "snoozed_until")
    op.drop_column("conversation", "beside_id")
    op.drop_index(
        "ix_contact_point_part",
        table_name="contact_point",
        postgresql_using="gin",
        postgresql_ops={"value": "gin_trgm_ops"},
    )
    op.drop_index(op.f("ix_contact_point_key"), table_name="contact_point")
    op.drop_index(
        "ix_contact_point_domain", table_name="contact_point", postgresql_where=sa.text("kind = 'email'")
    )
    op.drop_column("contact_point", "note")
    op.drop_column("contact_point", "main")
    op.drop_column("contact_point", "key")
    op.drop_index(
        "ix_contact_plain_name",
        table_name="contact",
        postgresql_using="gin",
        postgresql_ops={"plain": "gin_trgm_ops"},
    )
    op.drop_column("contact", "last_mailing_at")
    op.drop_column("contact", "last_out_at")
    op.drop_column("contact", "last_in_at")
    op.drop_column("contact", "tags")
    op.drop_column("contact", "away_until")
    op.drop_constraint(op.f("fk_call_noted_by_id_staff_member"), "call", type_="foreignkey")
    op.drop_constraint(op.f("fk_call_next_task_id_task"), "call", type_="foreignkey")
    op.drop_column("call", "next_task_id")
    op.drop_column("call", "noted_at")
    op.drop_column("call", "noted_by_id")
    op.drop_column("call", "note")
    op.drop_column("call", "outcome")
    op.drop_column("call", "dismissed")
    op.drop_column("call", "rung")
    op.drop_index(op.f("ix_account_region"), table_name="account")
    op.drop_index(
        "ix_account_plain_name",
        table_name="account",
        postgresql_using="gin",
        postgresql_ops={"plain": "gin_trgm_ops"},
    )
    op.drop_index(
        "ix_account_name_key_part",
        table_name="account",
        postgresql_using="gin",
        postgresql_ops={"part": "gin_trgm_ops"},
    )
    op.drop_index("ix_account_name_key", table_name="account")
    op.drop_index("ix_account_lately", table_name="account")
    op.drop_index(op.f("ix_account_industry"), table_name="account")
    op.drop_index("ix_account_code_key", table_name="account")
    op.drop_column("account", "last_out_at")
    op.drop_column("account", "last_in_at")
    op.drop_column("account", "first_reason")
    op.drop_column("account", "tags")
    op.drop_column("account", "employees")
    op.drop_constraint(op.f("fk_absence_deputy_id_staff_member"), "absence", type_="foreignkey")
    op.drop_column("absence", "deputy_id")
    op.drop_table("sound_piece")
    op.drop_table("transcript_line")
    op.drop_index(op.f("ix_template_file_version_id"), table_name="template_file")
    op.drop_index(op.f("ix_template_file_document_id"), table_name="template_file")
    op.drop_table("template_file")
    op.drop_index(op.f("ix_suggestion_message_id"), table_name="suggestion")
    op.drop_table("suggestion")
    op.drop_table("search_waiting")
    op.drop_index("ix_message_words_words", table_name="message_words", postgresql_using="gin")
    op.drop_index("ix_message_words_newest", table_name="message_words")
    op.drop_table("message_words")
    op.drop_index(op.f("ix_field_origin_message_id"), table_name="field_origin")
    op.drop_index(op.f("ix_field_origin_import_id"), table_name="field_origin")
    op.drop_table("field_origin")
    op.drop_index(op.f("ix_document_sending_document_id"), table_name="document_sending")
    op.drop_table("document_sending")
    op.drop_index("ix_demo_visit_link", table_name="demo_visit")
    op.drop_table("demo_visit")
    op.drop_index(op.f("ix_template_use_version_id"), table_name="template_use")
    op.drop_index("ix_template_use_key", table_name="template_use")
    op.drop_table("template_use")
    op.drop_index("uq_staff_notice_key", table_name="staff_notice")
    op.drop_index(
        "ix_staff_notice_waiting", table_name="staff_notice", postgresql_where=sa.text("state = 'waiting'")
    )
    op.drop_index(
        "ix_staff_notice_reminders", table_name="staff_notice", postgresql_where=sa.text("kind = 'task_due'")
    )
    op.drop_index(op.f("ix_staff_notice_delivery_id"), table_name="staff_notice")
    op.drop_table("staff_notice")
    op.drop_index(op.f("ix_phone_order_ordered_at"), table_name="phone_order")
    op.drop_index("ix_phone_order_number", table_name="phone_order")
    op.drop_table("phone_order")
    op.drop_index(op.f("ix_note_mention_staff_id"), table_name="note_mention")
    op.drop_table("note_mention")
    op.drop_table("morning_plan")
    op.drop_index(op.f("ix_meeting_event_meeting_id"), table_name="meeting_event")
    op.drop_table("meeting_event")
    op.drop_index("uq_meeting_attendee", table_name="meeting_attendee")
    op.drop_index(op.f("ix_meeting_attendee_staff_id"), table_name="meeting_attendee")
    op.drop_index(op.f("ix_meeting_attendee_contact_id"), table_name="meeting_attendee")
    op.drop_table("meeting_attendee")
    op.drop_index(op.f("ix_handover_to_id"), table_name="handover")
    op.drop_index(op.f("ix_handover_deal_id"), table_name="handover")
    op.drop_table("handover")
    op.drop_index(op.f("ix_demo_link_file_id"), table_name="demo_link")
    op.drop_index(op.f("ix_demo_link_delivery_id"), table_name="demo_link")
    op.drop_index(op.f("ix_demo_link_contact_id"), table_name="demo_link")
    op.drop_table("demo_link")
    op.drop_index(
        "ix_campaign_recipient_waiting",
        table_name="campaign_recipient",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_campaign_recipient_delivery", table_name="campaign_recipient")
    op.drop_index("ix_campaign_recipient_contact", table_name="campaign_recipient")
    op.drop_table("campaign_recipient")
    op.drop_index(
        "ix_approval_open",
        table_name="approval",
        postgresql_where=sa.text("state IN ('waiting', 'returned', 'outdated')"),
    )
    op.drop_index(op.f("ix_approval_asker_id"), table_name="approval")
    op.drop_table("approval")
    op.drop_index(op.f("ix_note_conversation_id"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_meeting_starts_at"), table_name="meeting")
    op.drop_index(op.f("ix_meeting_organizer_id"), table_name="meeting")
    op.drop_index(op.f("ix_meeting_deal_id"), table_name="meeting")
    op.drop_index(op.f("ix_meeting_conversation_id"), table_name="meeting")
    op.drop_index(op.f("ix_meeting_contact_id"), table_name="meeting")
    op.drop_index(op.f("ix_meeting_account_id"), table_name="meeting")
    op.drop_table("meeting")
    op.drop_index(op.f("ix_conversation_move_into_id"), table_name="conversation_move")
    op.drop_index(op.f("ix_conversation_move_from_id"), table_name="conversation_move")
    op.drop_table("conversation_move")
    op.drop_index(op.f("ix_payment_deal_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(op.f("ix_delivery_note_deal_id"), table_name="delivery_note")
    op.drop_table("delivery_note")
    op.drop_table("checklist_mark")
    op.drop_index(op.f("ix_segment_member_contact_id"), table_name="segment_member")
    op.drop_table("segment_member")
    op.drop_table("import_row")
    op.drop_index(op.f("ix_contact_list_member_contact_id"), table_name="contact_list_member")
    op.drop_table("contact_list_member")
    op.drop_index("ix_contact_intent_recent", table_name="contact_intent")
    op.drop_table("contact_intent")
    op.drop_index(
        "uq_campaign_text_current",
        table_name="campaign_text",
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.drop_table("campaign_text")
    op.drop_index(op.f("ix_campaign_event_campaign_id"), table_name="campaign_event")
    op.drop_table("campaign_event")
    op.drop_index("uq_template_version", table_name="template_version")
    op.drop_table("template_version")
    op.drop_table("segment_revision")
    op.drop_table("import")
    op.drop_index(
        "ix_campaign_live",
        table_name="campaign",
        postgresql_where=sa.text("state IN ('scheduled', 'running')"),
    )
    op.drop_table("campaign")
    op.drop_index(op.f("ix_territory_staff_staff_id"), table_name="territory_staff")
    op.drop_table("territory_staff")
    op.drop_index(op.f("ix_template_preview_staff_id"), table_name="template_preview")
    op.drop_table("template_preview")
    op.drop_index("uq_template_place", table_name="template", postgresql_nulls_not_distinct=True)
    op.drop_index(op.f("ix_template_team_id"), table_name="template")
    op.drop_index(op.f("ix_template_staff_id"), table_name="template")
    op.drop_table("template")
    op.drop_table("staff_invitation")
    op.drop_index("uq_segment_ready", table_name="segment")
    op.drop_table("segment")
    op.drop_index(op.f("ix_saved_view_staff_id"), table_name="saved_view")
    op.drop_table("saved_view")
    op.drop_table("routing_rule")
    op.drop_table("pipeline_draft")
    op.drop_table("notice_choice")
    op.drop_index(op.f("ix_kept_apart_high_id"), table_name="kept_apart")
    op.drop_table("kept_apart")
    op.drop_index(op.f("ix_demo_file_sha256"), table_name="demo_file")
    op.drop_table("demo_file")
    op.drop_table("contact_list")
    op.drop_index("ix_client_merge_stays", table_name="client_merge")
    op.drop_index(
        "ix_client_merge_gone", table_name="client_merge", postgresql_where=sa.text("undone_at IS NULL")
    )
    op.drop_index(op.f("ix_client_merge_account_id"), table_name="client_merge")
    op.drop_table("client_merge")
    op.drop_index(op.f("ix_audit_entry_staff_id"), table_name="audit_entry")
    op.drop_index("ix_audit_entry_object", table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("approval_rule")
    op.drop_table("territory")
    op.drop_table("notice_cursor")
    op.drop_table("look")
    op.drop_table("fact_progress")
