"""My tasks: what I have to do and for whom, done and opened again."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import tasks
from core.notices import open_alarms
from core.tasks import TaskState
from desk import live, todo
from desk.access import WORKERS
from desk.forms import Form, own_place
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread


@get("/tasks", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """My open tasks, for leaders also nobody's, and what I did last."""
    viewer = request.scope["user"]
    view = "tasks_list.html" if request.headers.get("hx-request") == "true" else "tasks.html"
    return page(
        request,
        view,
        mine=todo.mine(session, viewer),
        nobodys=todo.nobodys(session, viewer),
        lately=todo.done_lately(session, viewer),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@post("/tasks/{task_id:int}/done", enter=WORKERS)
@in_thread
def finish(request: PageRequest, session: Transaction, form: Filled, task_id: FromPath[int]) -> Response[Any]:
    """It is done."""
    return _bring_to(request, session, form, task_id, TaskState.DONE)


@post("/tasks/{task_id:int}/reopen", enter=WORKERS)
@in_thread
def reopen(request: PageRequest, session: Transaction, form: Filled, task_id: FromPath[int]) -> Response[Any]:
    """It is still to be done."""
    return _bring_to(request, session, form, task_id, TaskState.OPEN)


def _bring_to(
    request: PageRequest, session: Session, form: Form, task_id: int, state: TaskState
) -> Response[Any]:
    viewer = request.scope["user"]
    task = todo.task_for(session, viewer, task_id)
    if state == TaskState.DONE and task.assignee_id is None:
        task.assignee_id = viewer.staff_id
        session.flush()
    tasks.settle(session, task, state)
    live.announce(session, "task", task.conversation_id, task.assignee_id)
    _ = reader(request).gettext
    text, back = (
        (_("The task is done."), "reopen")
        if state == TaskState.DONE
        else (_("The task is open again."), "done")
    )
    return done(
        request,
        text,
        go=own_place(form.line("back"), "/tasks"),
        undo=f"/tasks/{task_id}/{back}",
        events=("tasks", "conversation"),
    )


ROUTES = (show, finish, reopen)
