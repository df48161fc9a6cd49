"""What the fourth schema does with the rows of the third."""

from __future__ import annotations

from alembic import op


def wishes_under_bounces() -> None:
    """An entry that is older than the report it was widened by was an opt-out, and is one again one day."""
    op.execute(
        "UPDATE suppression SET wish = jsonb_build_object('reason', 'unsubscribed',"
        " 'source', 'before letters came back')"
        " WHERE scope = 'everything' AND reason = 'bounced' AND wish IS NULL"
        " AND created_at < (SELECT min(e.happened_at) FROM delivery_event e"
        " WHERE e.delivery_id = substring(suppression.source from '^delivery[: ]([0-9]{1,18})')::bigint"
        " AND e.state IN ('bounced', 'refused'))"
    )


def upgrade_data() -> None:
    """Move what has to be moved; a second run changes nothing."""
    wishes_under_bounces()
