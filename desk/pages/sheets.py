"""A sheet over the page one is on; without a script it is a page of its own."""

from __future__ import annotations

from typing import Any

from litestar import Response
from sqlalchemy.orm import Session

from core.notices import open_alarms
from desk.pages.inbox import rail
from desk.render import PageRequest, is_partial, page


def sheet(request: PageRequest, session: Session, view: str, **values: Any) -> Response[str]:
    """A view as what the dialog of the page shows, or within the frame of the desk."""
    if is_partial(request):
        return page(request, view, **values)
    whole = values | rail(session, request)
    return page(request, "sheet.html", inner=view, alarms=open_alarms(session), **whole)
