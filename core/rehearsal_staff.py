"""Who was at work on a day of the past: whom a deal's stage would have asked, and who stood in for whom."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import performers
from core.performers import Colleague
from core.staff import Absence


class StaffOfOld:
    """Everybody with their absences, read once; what lay on whose desk is counted as it is today."""

    def __init__(self, session: Session, since: datetime, until: datetime) -> None:
        self._everybody = performers.everybody(session)
        query = select(Absence.staff_id, Absence.first_day, Absence.last_day, Absence.deputy_id)
        self._away: list[tuple[int, date, date, int | None]] = [
            (who, first, last, deputy)
            for who, first, last, deputy in session.execute(
                query.where(Absence.last_day >= since.date(), Absence.first_day <= until.date())
            )
        ]
        self._days: dict[date, list[Colleague]] = {}

    def on(self, moment: datetime) -> list[Colleague]:
        """Those who were at work on the day of a moment (the database's day, as in earnest)."""
        day = moment.date()
        if day not in self._days:
            gone = {who for who, first, last, _deputy in self._away if first <= day <= last}
            self._days[day] = [one for one in self._everybody if one.id not in gone]
        return self._days[day]

    def stands_in(self, staff_id: int, moment: datetime) -> tuple[int | None, bool]:
        """Who has what comes to a colleague's list on a day, and whether that is in their place.

        Of the absent it is the deputy where one is named and here, else nobody, as
        `core.absences.hand_on_tasks` does it.
        """
        day = moment.date()
        deputies = [
            deputy for who, first, last, deputy in self._away if who == staff_id and first <= day <= last
        ]
        if not deputies:
            return staff_id, False
        here = {one.id for one in self.on(moment)}
        return (deputies[0] if deputies[0] in here else None), True
