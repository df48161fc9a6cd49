"""Deals that a client's letter moves by itself, where the stage says so."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from core import proposals, stages
from core.deals import Deal
from core.errors import FrontdeskError
from core.jobkinds import PAGE
from core.pipelines import Stage
from core.worktime import Calendar

log = structlog.get_logger(__name__)


def tick(session: Session, calendar: Calendar) -> int:
    """Move a page of them, each with what its new stage sends; returns how many were looked at.

    One that cannot move (it lacks something, nobody can be written to) keeps a proposal without the letter
    that made it, for a person.
    """
    found = proposals.automatic(session, PAGE)
    for deal_id, stage_id, topic in found:
        deal = session.get_one(Deal, deal_id)
        stage = session.get_one(Stage, stage_id)
        try:
            stages.enter_stage(session, deal, stage, reason=f"by rule: {topic}", calendar=calendar)
            stages.run_rules(session, deal, calendar)
        except FrontdeskError as error:
            log.info("a rule could not move a deal", deal=deal_id, stage=stage.key, reason=error.message)
            session.refresh(deal)
            deal.proposed_by_message_id = None
            session.flush()
    return len(found)
