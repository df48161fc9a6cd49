"""Routing, colleagues, teams, absences and the audit log on their screens."""

from __future__ import annotations

import ast
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa

from core import absences, audit, segments
from core.audit import AuditEntry
from core.clock import now
from core.conversations import Conversation
from core.db import transaction
from core.deals import Stage
from core.routing import Assignment, TopicTeam
from core.routingrules import all_rules
from core.staff import Absence, Role, StaffMember, Team
from core.tasks import Task
from core.territories import Territory
from desk import auditwords
from tests.desk.conftest import Browser, SignedIn
from tests.desk.furnished import marketing_rooms
from tests.factories import World


def _audited(engine: sa.Engine) -> list[tuple[str, str]]:
    with transaction(engine) as session:
        return [
            (one.kind, one.deed) for one in session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
        ]


def _rules(engine: sa.Engine) -> dict[str, int]:
    with transaction(engine) as session:
        return {one.kind: one.id for one in all_rules(session)}


def _fields(**changed: str) -> dict[str, str]:
    given = {"name": "Naujas Žmogus", "email": "naujas@siurbliai.example", "role": "agent", "language": "lt"}
    return given | {"speaks_lt": "1"} | changed


def test_the_rules_stand_as_sentences_in_their_order(signed_in: SignedIn) -> None:
    text = signed_in("head").get("/routing").text
    curator, team = "It goes to the client’s curator.", "It goes to the team of its topic."
    assert text.index(curator) < text.index(team)


def test_a_rule_of_our_own_decides_and_is_undone(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    head = signed_in("head")
    to = f"staff:{world.staff['other'].id}"
    rule = {"topic": "price_request", "language": "ru", "to": to}
    assert head.post("/routing", data=rule, follow_redirects=False).status_code == 303
    tried = head.get("/routing/try?topic=price_request&language=ru", headers={"hx-request": "true"}).text
    assert world.staff["other"].name in tried
    assert "our rule" in tried
    head.post(f"/routing/{_rules(engine)['custom']}/remove")
    tried = head.get("/routing/try?topic=price_request&language=ru", headers={"hx-request": "true"}).text
    assert world.staff["other"].name not in tried
    assert _audited(engine) == [("routing", "added"), ("routing", "removed")]


def test_a_rule_may_name_a_segment_and_reads_as_a_sentence(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    with transaction(engine) as session:
        ids = marketing_rooms(session, world)
        segments.refresh(session, segments.get(session, ids["segment"]))
    head = signed_in("head")
    to = f"staff:{world.staff['other'].id}"
    rule = {"segment": str(ids["segment"]), "stage": "technical_proposal", "to": to}
    assert head.post("/routing", data=rule, follow_redirects=False).status_code == 303
    text = head.get("/routing").text
    assert "the client is in the segment “Vilniaus klientai”" in text
    assert "the client’s deal stands in the stage “Technical proposal”" in text
    ids = _rules(engine)
    first = sorted((one for one in ids if not one.startswith("prefer_")), key=lambda kind: kind != "custom")
    head.post("/routing/order", data={"order": ",".join(str(ids[kind]) for kind in first)})
    contact = world.talks["own"].contact
    assert contact is not None
    for address, holds in ((contact.email, True), ("stranger@nowhere.example", False)):
        tried = head.get(f"/routing/try?sender={address}", headers={"hx-request": "true"}).text
        assert ("in the segment" in tried) == holds
    assert head.post("/routing", data={"segment": "999", "to": to}).status_code == 422


def test_a_rule_needs_a_condition_and_somebody(signed_in: SignedIn, world: World) -> None:
    head = signed_in("head")
    assert head.post("/routing", data={"to": f"staff:{world.staff['agent'].id}"}).status_code == 422
    assert head.post("/routing", data={"topic": "order"}).status_code == 422


def test_rules_are_put_in_order_and_switched_off(signed_in: SignedIn, engine: sa.Engine) -> None:
    head = signed_in("head")
    head.get("/routing")
    ids = _rules(engine)
    naming = [number for kind, number in ids.items() if not kind.startswith("prefer_")]
    turned = [naming[1], naming[0], *naming[2:]]
    head.post("/routing/order", data={"order": ",".join(map(str, turned))})
    head.post(f"/routing/{ids['topic_team']}/switch", data={"active": ""})
    with transaction(engine) as session:
        rules = all_rules(session)
        assert [one.id for one in rules][:2] == turned[:2]
        assert {one.kind for one in rules if not one.active} == {"topic_team"}
    assert head.post("/routing/order", data={"order": "1,2"}).status_code == 409


def test_a_rule_of_the_house_is_not_removed(signed_in: SignedIn, engine: sa.Engine) -> None:
    head = signed_in("head")
    head.get("/routing")
    assert head.post(f"/routing/{_rules(engine)['topic_team']}/remove").status_code == 422


def test_trying_shows_the_curator_and_who_is_away(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    head = signed_in("head")
    with transaction(engine) as session:
        talk = session.get_one(Conversation, world.talks["curated"].id)
        assert talk.account is not None
        assert talk.account.curator is not None
        address, curator = talk.contact.email if talk.contact else "", talk.account.curator
        session.add(Absence(staff_id=curator.id, first_day=_day(-2), last_day=_day(2)))
    text = head.get(f"/routing/try?sender={address}", headers={"hx-request": "true"}).text
    assert f"{curator.name} is away today" in text


def _day(shift: int) -> date:
    return (now() + timedelta(days=shift)).date()


def test_an_invited_colleague_chooses_a_password_once(
    signed_in: SignedIn, visitor: Browser, engine: sa.Engine
) -> None:
    head = signed_in("head")
    place = head.post("/staff", data=_fields(), follow_redirects=False).headers["location"].split("?")[0]
    shown = head.post(f"{place}/invite").text
    found = re.search(r'value="https://desk\.example(/welcome/[^"]+)"', shown)
    assert found is not None
    link = found[1]
    assert visitor.get(link).status_code == 200
    words = {"new": "ilgas slaptažodis", "again": "ilgas slaptažodis"}
    assert visitor.post(link, data={**words, "again": "kitas"}).status_code == 422
    assert visitor.post(link, data=words, follow_redirects=False).headers["location"] == "/login"
    assert visitor.post(link, data=words).status_code == 404
    answer = visitor.post(
        "/login",
        data={"email": "naujas@siurbliai.example", "password": words["new"]},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    with transaction(engine) as session:
        kept = str(session.execute(sa.text("select array_agg(a::text) from audit_entry a")).scalar_one())
    assert "slapta" not in kept
    assert link.rsplit("/", 1)[1] not in kept


def test_a_head_makes_no_administrator_and_changes_none(signed_in: SignedIn, world: World) -> None:
    head = signed_in("head")
    assert head.post("/staff", data=_fields(role="admin")).status_code == 403
    admin = world.staff["admin"].id
    assert head.post(f"/staff/{admin}/password", data={"password": "ilgas slaptažodis"}).status_code == 403
    assert head.post(f"/staff/{admin}/invite").status_code == 403
    assert head.post(f"/staff/{admin}/leave").status_code == 403


def test_the_last_administrator_stays_one(signed_in: SignedIn, world: World) -> None:
    admin = signed_in("admin")
    mine = world.staff["admin"]
    answer = admin.post(f"/staff/{mine.id}", data=_fields(email=mine.email, name=mine.name))
    assert answer.status_code == 422
    assert admin.post(f"/staff/{mine.id}/leave").status_code == 422


def test_who_leaves_is_signed_out_and_their_letters_wait_in_the_queue(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    agent, head = signed_in("agent"), signed_in("head")
    agent_id = world.staff["agent"].id
    assert "open conversation" in head.get(f"/staff/{agent_id}").text
    head.post(f"/staff/{agent_id}/leave")
    assert agent.get("/inbox", follow_redirects=False).status_code == 303
    with transaction(engine) as session:
        talk = session.get_one(Conversation, world.talks["own"].id)
        assert (talk.assignee_id, talk.team_id) == (None, world.staff["agent"].team_id)
        last = session.scalars(
            sa.select(Assignment.rule)
            .where(Assignment.conversation_id == talk.id)
            .order_by(Assignment.id.desc())
        ).first()
        assert last == "left"
        assert not session.get_one(StaffMember, agent_id).active


def test_an_address_that_is_taken_is_refused_with_what_was_written(signed_in: SignedIn, world: World) -> None:
    answer = signed_in("head").post("/staff", data=_fields(email=world.staff["mate"].email))
    assert answer.status_code == 422
    assert "Naujas Žmogus" in answer.text


def test_a_topic_moves_to_another_team(signed_in: SignedIn, engine: sa.Engine) -> None:
    with transaction(engine) as session:
        office = session.scalars(sa.select(Team).where(Team.name == "Office")).one().id
    data = {"name": "Office", "topic_invoice_payment": "1", "topic_supplier_offer": "1"}
    signed_in("head").post(f"/teams/{office}", data=data)
    with transaction(engine) as session:
        assert session.get_one(TopicTeam, "invoice_payment").team_id == office


def test_a_territory_is_added_renamed_and_removed(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    head, mate = signed_in("head"), world.staff["mate"].id
    head.post("/territories", data={"name": "North", "countries": "lv, ee", f"staff_{mate}": "1"})
    with transaction(engine) as session:
        one = session.scalars(sa.select(Territory)).one()
        assert (one.countries, one.name) == (["EE", "LV"], "North")
    head.post(f"/territories/{one.id}", data={"name": "Baltics", "countries": "LV", f"staff_{mate}": "1"})
    with transaction(engine) as session:
        assert session.scalars(sa.select(Territory.name)).all() == ["Baltics"]
    head.post(f"/territories/{one.id}/remove")
    assert [deed for _, deed in _audited(engine)] == ["added", "changed", "removed"]


def test_everybody_enters_their_own_absence_and_nobody_elses(
    signed_in: SignedIn, engine: sa.Engine, world: World
) -> None:
    mate = signed_in("mate")
    days = {"first_day": _day(3).isoformat(), "last_day": _day(5).isoformat()}
    mate.post("/absences", data={**days, "staff_id": str(world.staff["agent"].id)})
    with transaction(engine) as session:
        one = session.scalars(sa.select(Absence)).one()
    assert one.staff_id == world.staff["mate"].id
    assert signed_in("agent").post(f"/absences/{one.id}/remove").status_code == 404
    assert mate.post("/absences", data=days).status_code == 422
    assert mate.post(f"/absences/{one.id}/remove").status_code == 200


def test_what_waits_with_somebody_away_goes_back_and_what_was_given_knowingly_stays(
    engine: sa.Engine, world: World
) -> None:
    agent = world.staff["agent"]
    with transaction(engine) as session:
        session.execute(sa.delete(Assignment))
        mine = sa.select(Conversation).where(
            Conversation.assignee_id == agent.id, Conversation.state == "open"
        )
        talks = session.scalars(mine.order_by(Conversation.id)).all()
        for talk in talks:
            talk.waiting = True
        given = talks[0].id
        session.add(Assignment(conversation_id=given, staff_id=agent.id, rule="hand"))
        session.add(Absence(staff_id=agent.id, first_day=_day(-1), last_day=_day(1)))
    with transaction(engine) as session:
        assert absences.hand_back(session) == len(talks) - 1
        assert absences.hand_back(session) == 0
    with transaction(engine) as session:
        assert [one.id for one in session.scalars(mine)] == [given]
        rules = session.scalars(sa.select(Assignment.rule).where(Assignment.rule != "hand")).all()
        assert set(rules) == {"away"}


def test_what_somebody_away_was_to_do_for_clients_goes_to_their_deputy(
    engine: sa.Engine, world: World
) -> None:
    agent, mate, account = world.staff["agent"], world.staff["mate"], world.accounts["vandenis"]
    noon = datetime.combine(_day(0), time(12), UTC)
    given = {"assignee_id": agent.id, "account_id": account.id, "due_at": noon}
    with transaction(engine) as session:
        session.execute(sa.update(Task).values(state="done"))
        session.add(Absence(staff_id=agent.id, first_day=_day(-1), last_day=_day(1), deputy_id=mate.id))
        session.add_all(
            [
                Task(title="Step", kind="follow_up", **given),
                Task(title="Planned before", kind="call", **given, created_at=noon - timedelta(days=5)),
                Task(title="Planned knowingly", kind="call", **given),
                Task(title="Mentioned", kind="mention", **given),
                Task(title="Own", kind="other", assignee_id=agent.id, due_at=noon),
                Task(title="Later", kind="follow_up", **given | {"due_at": noon + timedelta(days=5)}),
            ]
        )
    with transaction(engine) as session:
        assert absences.hand_on_tasks(session) == 2
        assert absences.hand_on_tasks(session) == 0
    with transaction(engine) as session:
        titles = session.scalars(sa.select(Task.title).where(Task.assignee_id == mate.id)).all()
    assert {f"Step ({agent.name})", f"Planned before ({agent.name})"} <= set(titles)


def test_the_audit_log_is_filtered(signed_in: SignedIn) -> None:
    head = signed_in("head")
    head.post("/teams", data={"name": "Nauja komanda"})
    head.post("/staff", data=_fields())
    assert "Nauja komanda" in head.get("/audit").text
    only = head.get("/audit?kind=staff").text
    assert "Nauja komanda" not in only
    assert "naujas@siurbliai.example" in only
    assert head.get("/audit?since=tomorrow").status_code == 422


def test_the_front_leads_a_stranger_to_the_door(visitor: Browser) -> None:
    answer = visitor.get("/", headers={"accept": "*/*"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_audit_log_speaks_the_readers_language(signed_in: SignedIn, engine: sa.Engine) -> None:
    with transaction(engine) as session:
        session.execute(sa.update(StaffMember).where(StaffMember.role == Role.HEAD).values(language="lt"))
        stage = session.scalars(sa.select(Stage).order_by(Stage.position)).first()
        assert stage is not None
        audit.note(
            session, None, "taken_back", "deal", 1, "S-1", before={"stage": stage.name("en")}, after={}
        )
        audit.note(
            session, None, "returned", "approval", 1, "commercial_offer: Ona", after={"state": "returned"}
        )
        audit.note(
            session, None, "removed", "suppression", 0, "a@b.example", before={"why": "bounced"}, after={}
        )
        expected = stage.name("lt")
    shown = signed_in("head").get("/audit").text
    assert expected in shown
    assert "Komercinis pasiūlymas: Ona" in shown
    assert not {"returned", "bounced", stage.name("en")} & set(re.findall(r"[\w ]+", shown))


def test_every_deed_in_the_audit_log_has_words() -> None:
    deeds, kinds = set[str](), set[str]()
    for path in (one for room in ("core", "desk") for one in Path(room).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "audit.note":
                for place, found in ((2, deeds), (3, kinds)):
                    literals = ast.walk(call.args[place])
                    found |= {str(one.value) for one in literals if isinstance(one, ast.Constant)}
    assert len(kinds) > 10
    assert deeds <= set(auditwords.DEEDS)
    assert kinds <= set(auditwords.KINDS)
