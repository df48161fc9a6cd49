"""What a handler may ask for by name: the request's transaction and the form that was sent."""

from __future__ import annotations

from litestar.di import NamedDependency
from sqlalchemy.orm import Session

from desk.forms import Form

Transaction = NamedDependency[Session]
"""The request's session, committed before the answer leaves."""

Filled = NamedDependency[Form]
"""The form that came with the request."""
