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


def upgrade_data() -> None:
    """Every move, in order."""
    words_of_messages()
