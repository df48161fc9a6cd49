"""What the second schema does with the rows of the first, and what a comparison of schemas does not see."""

from __future__ import annotations

from alembic import op

SEARCH_FUNCTION = """
CREATE OR REPLACE FUNCTION message_to_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_waiting (message_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
SEARCH_TRIGGER = """
CREATE OR REPLACE TRIGGER message_to_search AFTER INSERT ON message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION message_to_search()
"""


def words_of_messages() -> None:
    """Messages that are there already become findable; the trigger sees to those to come."""
    op.execute(SEARCH_FUNCTION)
    op.execute(SEARCH_TRIGGER)
    op.execute("INSERT INTO search_waiting (message_id) SELECT id FROM message ON CONFLICT DO NOTHING")


TOPICS_OF_STAGES = {
    "need_identified": "document_request",
    "demo": "demo_request",
    "technical_proposal": "technical_question",
    "commercial_offer": "price_request",
    "payment": "invoice_payment",
    "delivery": "delivery",
}
"""Which topic spoke for which stage while that stood in the program."""


def versions_of_pipelines() -> None:
    """The first pipeline stays the one that inquiries enter; stages keep the topics that spoke for them."""
    op.execute("UPDATE pipeline SET standard = true WHERE id = (SELECT min(id) FROM pipeline WHERE active)"
               " AND NOT EXISTS (SELECT 1 FROM pipeline WHERE standard)")  # fmt: skip
    for stage, topic in TOPICS_OF_STAGES.items():
        op.execute(
            f"UPDATE stage SET proposed_on = '[\"{topic}\"]' WHERE key = '{stage}' AND proposed_on = '[]'"  # noqa: S608 - only constants of this file are put together
        )
    op.execute(
        'UPDATE stage SET proposed_on = \'["order", "contract"]\''
        " WHERE key = 'contract' AND proposed_on = '[]'"
    )


def time_in_stages() -> None:
    """When a deal left each stage: when it entered the next one, or was closed."""
    op.execute(
        "UPDATE stage_change AS c SET left_at = n.next_at FROM (SELECT id, lead(changed_at) OVER"
        " (PARTITION BY deal_id ORDER BY id) AS next_at FROM stage_change) AS n"
        " WHERE n.id = c.id AND n.next_at IS NOT NULL AND c.left_at IS NULL"
    )
    op.execute(
        "UPDATE stage_change AS c SET left_at = d.closed_at FROM deal AS d"
        " WHERE d.id = c.deal_id AND c.left_at IS NULL AND d.closed_at IS NOT NULL"
    )
    op.execute("UPDATE stage_change SET performer_id = staff_id WHERE performer_id IS NULL")


def letters_of_documents() -> None:
    """Each document was carried by the letter it was made for."""
    op.execute(
        "INSERT INTO document_sending (delivery_id, document_id)"
        " SELECT delivery_id, id FROM document WHERE delivery_id IS NOT NULL ON CONFLICT DO NOTHING"
    )


def upgrade_data() -> None:
    """Every move, in order."""
    words_of_messages()
    versions_of_pipelines()
    time_in_stages()
    letters_of_documents()
