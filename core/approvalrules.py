"""The company's rules about which letters wait for whose word."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.approvalasks import ApprovalRule
from core.errors import InputRefused
from core.pipelinespec import PERFORMER


def rules(session: Session) -> list[ApprovalRule]:
    """The company's rules."""
    return list(session.scalars(select(ApprovalRule).order_by(ApprovalRule.template)))


def check_spec(spec: str) -> str:
    """The same name of who is asked. Raises InputRefused for one that names nobody."""
    if not PERFORMER.fullmatch(spec):
        raise InputRefused("Choose whose word is needed.")
    return spec


def set_rule(
    session: Session,
    template: str,
    approver: str,
    *,
    least_total: Decimal | None = None,
    by: int | None = None,
) -> None:
    """Letters of a template wait for somebody's word from now on; an empty approver ends that."""
    present = session.get(ApprovalRule, template)
    before = {"approver": present.approver, "least_total": present.least_total} if present else None
    if not approver:
        if present is not None:
            session.delete(present)
            session.flush()
            audit.note(session, by, "removed", "approval_rule", template, template, before=before)
        return
    rule = present or ApprovalRule(template=template)
    rule.approver, rule.least_total, rule.changed_by = check_spec(approver), least_total, by
    session.add(rule)
    session.flush()
    after = {"approver": rule.approver, "least_total": rule.least_total}
    deed = "changed" if present else "added"
    audit.note(session, by, deed, "approval_rule", template, template, before=before, after=after)
