"""For machines that watch us: whether the desk works, and figures in Prometheus' text format."""

from __future__ import annotations

import ipaddress

from litestar import Request, Response, get
from litestar.datastructures import State
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text

from core import intake, outbox
from core.errors import NotFound
from core.intake import Mailbox
from core.notices import Notice
from desk.access import PUBLIC
from desk.given import Transaction
from desk.threads import in_thread

OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""Who sends one of these is a proxy on this machine, and asks for somebody else."""


@get("/healthz", enter=PUBLIC, without_session=True)
@in_thread
def healthy(session: Transaction) -> Response[bytes]:
    """`ok` when the database answers; 503 otherwise, from the error's own status."""
    session.execute(text("select 1"))
    return Response(b"ok\n", media_type="text/plain")


@get("/metrics", enter=PUBLIC, without_session=True)
@in_thread
def metrics(request: Request, session: Transaction, state: State) -> Response[bytes]:
    """Counts by state, backlogs and alarms; told only to this machine itself."""
    host = request.client.host if request.client else ""
    try:
        near = ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    if not near or any(name in request.headers for name in OF_PROXIES):
        raise NotFound
    registry = CollectorRegistry()
    letters = Gauge("frontdesk_letters", "Letters by state of intake.", ["state"], registry=registry)
    for name, count in intake.counts(session).items():
        letters.labels(name).set(count)
    sends = Gauge("frontdesk_deliveries", "Sends by state.", ["state"], registry=registry)
    for name, count in outbox.counts(session).items():
        sends.labels(name).set(count)
    backlog = Gauge(
        "frontdesk_mailbox_backlog", "Letters waiting on the server.", ["mailbox"], registry=registry
    )
    age = Gauge(
        "frontdesk_mailbox_seconds_since_fetch",
        "Since the server last answered.",
        ["mailbox"],
        registry=registry,
    )
    query = select(Mailbox.name, Mailbox.backlog, func.extract("epoch", func.now() - Mailbox.last_fetched_at))
    for name, waiting, seconds in session.execute(query):
        backlog.labels(name).set(waiting)
        if seconds is not None:
            age.labels(name).set(float(seconds))
    alarms = Gauge("frontdesk_alarms", "Alarms that stand.", registry=registry)
    alarms.set(session.scalar(select(func.count()).where(Notice.cleared_at.is_(None))) or 0)
    body = generate_latest(registry) + generate_latest(REGISTRY)
    return Response(body, headers={"content-type": CONTENT_TYPE_LATEST})


ROUTES = (healthy, metrics)
