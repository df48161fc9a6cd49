"""What is expected of every route: who may enter it, and whose the thing must be that it shows or changes.

A route that is not in this table fails a test, so that nobody opens one without saying for whom.

* who: public (nobody need be signed in), everybody (who is signed in), workers, sales, marketers, leaders;
* whose: ``-`` no one thing; ``role`` whoever may enter; ``conversation``, ``call``, ``deal``, ``task`` and
  ``client`` whoever may see the conversation, call, deal, task or client it belongs to; ``person`` whoever may
  see the person or their client; ``own`` one's own,
  and everybody's for leaders where the page says so; ``token`` whoever holds the link;
  ``signature`` whoever signed the request.
"""

from __future__ import annotations

from core.staff import Role

WHO: dict[str, frozenset[Role] | None] = {
    "public": None,
    "everybody": frozenset(Role),
    "workers": frozenset({Role.AGENT, Role.SUPPORT, Role.HEAD, Role.ADMIN}),
    "sales": frozenset({Role.AGENT, Role.HEAD, Role.ADMIN}),
    "marketers": frozenset({Role.MARKETING, Role.HEAD, Role.ADMIN}),
    "leaders": frozenset({Role.HEAD, Role.ADMIN}),
}
WHOSE = frozenset(
    {"-", "role", "conversation", "call", "deal", "task", "client", "person", "own", "token", "signature"}
)

TABLE = """
GET   /                                                              public     -
GET   /absences                                                      everybody  -
POST  /absences                                                      everybody  -
POST  /absences/{absence_id:int}/remove                              everybody  own
GET   /approvals                                                     workers    -
POST  /approvals/rules                                               leaders    -
POST  /approvals/{approval_id:int}/again                             workers    own
POST  /approvals/{approval_id:int}/approve                           workers    own
POST  /approvals/{approval_id:int}/edit                              workers    own
POST  /approvals/{approval_id:int}/return                            workers    own
POST  /approvals/{approval_id:int}/undo                              workers    own
POST  /approvals/{approval_id:int}/withdraw                          workers    own
GET   /approvals/{approval_id:int}/document/{key:str}                workers    own
GET   /attachments/{attachment_id:int}                               workers    conversation
GET   /audit                                                         leaders    -
GET   /calendar/{name:str}                                           public     token
GET   /calls                                                         workers    -
GET   /calls/of/{message_id:int}                                     workers    conversation
GET   /calls/{call_id:int}                                           workers    call
POST  /calls/{call_id:int}/fetch/{recording_id:int}                  workers    call
POST  /calls/{call_id:int}/note                                      workers    call
GET   /calls/{call_id:int}/sound/{recording_id:int}                  workers    call
GET   /classifier                                                    leaders    -
GET   /classifier/compare                                            leaders    -
POST  /classifier/examples/{example_id:int}/remove                   leaders    role
GET   /classifier/labels                                             leaders    -
POST  /classifier/labels                                             leaders    -
GET   /classifier/labels/{key:str}                                   leaders    role
POST  /classifier/labels/{key:str}                                   leaders    role
POST  /classifier/labels/{key:str}/away                              leaders    role
POST  /classifier/labels/{key:str}/back                              leaders    role
POST  /classifier/labels/{key:str}/examples                          leaders    role
POST  /classifier/labels/{key:str}/merge                             leaders    role
POST  /classifier/labels/{key:str}/separate                          leaders    role
POST  /classifier/learn                                              leaders    -
POST  /classifier/odd                                                leaders    -
POST  /classifier/rollback                                           leaders    -
GET   /clients                                                       workers    -
POST  /clients                                                       sales      -
GET   /clients/new                                                   sales      -
GET   /clients/{account_id:int}                                      workers    client
POST  /clients/{account_id:int}/apart                                sales      client
POST  /clients/{account_id:int}/contacts                             workers    client
POST  /clients/{account_id:int}/contacts/merge                       sales      client
GET   /clients/{account_id:int}/contacts/new                         workers    client
POST  /clients/{account_id:int}/contacts/{contact_id:int}/attach     workers    client
POST  /clients/{account_id:int}/contacts/{contact_id:int}/detach     workers    client
POST  /clients/{account_id:int}/contacts/{contact_id:int}/field      workers    client
GET   /clients/{account_id:int}/contacts/{contact_id:int}/points     workers    client
POST  /clients/{account_id:int}/contacts/{contact_id:int}/points     workers    client
GET   /clients/{account_id:int}/deal                                 sales      client
POST  /clients/{account_id:int}/deal                                 sales      client
GET   /clients/{account_id:int}/edit                                 workers    client
GET   /clients/{account_id:int}/export                               leaders    client
POST  /clients/{account_id:int}/field                                workers    client
POST  /clients/{account_id:int}/here                                 workers    client
GET   /clients/{account_id:int}/history                              workers    client
GET   /clients/{account_id:int}/letter                               workers    client
POST  /clients/{account_id:int}/letter                               workers    client
POST  /clients/{account_id:int}/letter/preview                       workers    client
GET   /clients/{account_id:int}/merge                                sales      client
POST  /clients/{account_id:int}/merge                                sales      client
POST  /clients/{account_id:int}/merges/{merge_id:int}/undo           sales      client
POST  /clients/{account_id:int}/points/{point_id:int}                workers    client
POST  /clients/{account_id:int}/points/{point_id:int}/main           workers    client
POST  /clients/{account_id:int}/points/{point_id:int}/remove         workers    client
GET   /clients/{account_id:int}/task                                 workers    client
POST  /clients/{account_id:int}/task                                 workers    client
POST  /clients/{account_id:int}/together                             sales      client
GET   /clients/{account_id:int}/who                                  workers    client
GET   /conversations/{conversation_id:int}                           workers    conversation
POST  /conversations/{conversation_id:int}/answer                    workers    conversation
POST  /conversations/{conversation_id:int}/apart                     workers    conversation
POST  /conversations/{conversation_id:int}/assign                    workers    conversation
GET   /conversations/{conversation_id:int}/call                      workers    conversation
POST  /conversations/{conversation_id:int}/call                      workers    conversation
POST  /conversations/{conversation_id:int}/close                     sales      conversation
GET   /conversations/{conversation_id:int}/deal                      sales      conversation
POST  /conversations/{conversation_id:int}/deal                      sales      conversation
POST  /conversations/{conversation_id:int}/deal/dismiss              sales      conversation
GET   /conversations/{conversation_id:int}/deal/open                 sales      conversation
POST  /conversations/{conversation_id:int}/deal/open                 sales      conversation
POST  /conversations/{conversation_id:int}/done                      workers    conversation
GET   /conversations/{conversation_id:int}/fax                       workers    conversation
POST  /conversations/{conversation_id:int}/fax                       workers    conversation
POST  /conversations/{conversation_id:int}/followups/{enrolment_id:int} sales      conversation
POST  /conversations/{conversation_id:int}/here                      workers    conversation
GET   /conversations/{conversation_id:int}/history                   workers    conversation
POST  /conversations/{conversation_id:int}/intent                    workers    conversation
GET   /conversations/{conversation_id:int}/interest                  workers    conversation
POST  /conversations/{conversation_id:int}/interest                  workers    conversation
POST  /conversations/{conversation_id:int}/interest/undo             workers    conversation
POST  /conversations/{conversation_id:int}/join                      workers    conversation
POST  /conversations/{conversation_id:int}/later                     workers    conversation
GET   /conversations/{conversation_id:int}/move                      sales      conversation
POST  /conversations/{conversation_id:int}/move                      sales      conversation
POST  /conversations/{conversation_id:int}/notes                     workers    conversation
POST  /conversations/{conversation_id:int}/preview                   workers    conversation
POST  /conversations/{conversation_id:int}/reopen                    workers    conversation
GET   /conversations/{conversation_id:int}/ring                      workers    conversation
POST  /conversations/{conversation_id:int}/ring                      workers    conversation
POST  /conversations/{conversation_id:int}/sms                       workers    conversation
POST  /conversations/{conversation_id:int}/sms/count                 workers    conversation
POST  /conversations/{conversation_id:int}/sms/fill                  workers    conversation
POST  /conversations/{conversation_id:int}/sms/plain                 workers    conversation
GET   /conversations/{conversation_id:int}/sms/templates             workers    conversation
GET   /conversations/{conversation_id:int}/thread                    workers    conversation
GET   /conversations/{conversation_id:int}/who                       workers    conversation
POST  /corrections/{correction_id:int}/undo                          workers    conversation
GET   /deals                                                         sales      -
GET   /deals/{deal_id:int}                                           sales      deal
GET   /deals/{deal_id:int}/aside                                     sales      deal
POST  /deals/{deal_id:int}/check                                     sales      deal
POST  /deals/{deal_id:int}/deliveries                                sales      deal
POST  /deals/{deal_id:int}/deliveries/{entry_id:int}/undo            sales      deal
POST  /deals/{deal_id:int}/payments                                  sales      deal
POST  /deals/{deal_id:int}/payments/{entry_id:int}/undo              sales      deal
POST  /deals/{deal_id:int}/reopen                                    sales      deal
POST  /deals/{deal_id:int}/story                                     sales      deal
POST  /deliveries/{delivery_id:int}/cancel                           workers    conversation
GET   /doubles                                                       sales      -
POST  /doubles/apart                                                 sales      -
POST  /doubles/merge                                                 sales      -
POST  /doubles/merges/{merge_id:int}/undo                            sales      own
POST  /doubles/together                                              sales      -
GET   /favicon.ico                                                   public     -
GET   /healthz                                                       public     -
GET   /imports                                                       marketers  -
POST  /imports                                                       marketers  -
GET   /imports/{import_id:int}                                       marketers  role
POST  /imports/{import_id:int}/columns                               marketers  role
GET   /imports/{import_id:int}/refused                               marketers  role
POST  /imports/{import_id:int}/run                                   marketers  role
POST  /imports/{import_id:int}/undo                                  marketers  role
GET   /inbox                                                         workers    -
POST  /inbox/several                                                 workers    -
POST  /inbox/views                                                   workers    -
POST  /inbox/views/{view_id:int}/remove                              workers    own
GET   /lists                                                         marketers  -
POST  /lists                                                         marketers  -
GET   /lists/{list_id:int}                                           marketers  role
POST  /lists/{list_id:int}/archive                                   marketers  role
GET   /lists/{list_id:int}/export                                    marketers  role
POST  /lists/{list_id:int}/members                                   marketers  role
POST  /lists/{list_id:int}/members/{contact_id:int}/remove           marketers  role
POST  /lists/{list_id:int}/members/{contact_id:int}/restore          marketers  role
POST  /lists/{list_id:int}/restore                                   marketers  role
GET   /live                                                          workers    -
GET   /login                                                         public     -
POST  /login                                                         public     -
POST  /logout                                                        everybody  -
GET   /mailboxes                                                     workers    -
GET   /mailings                                                      marketers  -
POST  /mailings                                                      marketers  -
GET   /mailings/{mailing_id:int}                                     marketers  role
POST  /mailings/{mailing_id:int}/copy                                marketers  role
POST  /mailings/{mailing_id:int}/deeds/{deed:str}                    marketers  role
GET   /mailings/{mailing_id:int}/recipients                          marketers  role
POST  /mailings/{mailing_id:int}/settings                            marketers  role
GET   /mailings/{mailing_id:int}/texts/{variant:str}/{language:str}  marketers  role
POST  /mailings/{mailing_id:int}/texts/{variant:str}/{language:str}  marketers  role
GET   /messages/{message_id:int}/html                                workers    conversation
POST  /messages/{message_id:int}/separate                            workers    conversation
POST  /messages/{message_id:int}/understood/{field:str}              workers    conversation
POST  /messages/{message_id:int}/writer                              workers    conversation
GET   /metrics                                                       public     -
POST  /moves/{move_id:int}/back                                      workers    conversation
POST  /notes/{note_id:int}/remove                                    workers    conversation
POST  /notes/{note_id:int}/restore                                   workers    conversation
GET   /people/{contact_id:int}                                       workers    person
GET   /people/{contact_id:int}/company                               workers    person
POST  /people/{contact_id:int}/company                               workers    person
GET   /people/{contact_id:int}/deal                                  sales      person
POST  /people/{contact_id:int}/deal                                  sales      person
GET   /people/{contact_id:int}/edit                                  workers    person
POST  /people/{contact_id:int}/field                                 workers    person
GET   /people/{contact_id:int}/history                               workers    person
GET   /people/{contact_id:int}/points                                workers    person
POST  /people/{contact_id:int}/points                                workers    person
POST  /people/{contact_id:int}/points/{point_id:int}                 workers    person
POST  /people/{contact_id:int}/points/{point_id:int}/main            workers    person
POST  /people/{contact_id:int}/points/{point_id:int}/remove          workers    person
GET   /people/{contact_id:int}/wishes                                workers    person
POST  /people/{contact_id:int}/wishes                                workers    person
POST  /phone/cti                                                     public     -
POST  /phone/cti/{token:str}                                         public     token
POST  /phone/twilio/recording                                        public     signature
POST  /phone/twilio/sent                                             public     signature
POST  /phone/twilio/sms                                              public     signature
POST  /phone/twilio/status                                           public     signature
POST  /phone/twilio/transcript                                       public     signature
POST  /phone/twilio/{name:str}                                       public     signature
GET   /pipelines                                                     leaders    -
POST  /pipelines                                                     leaders    -
GET   /pipelines/{key:str}                                           leaders    role
POST  /pipelines/{key:str}                                           leaders    role
GET   /pipelines/{key:str}/deals                                     leaders    role
POST  /pipelines/{key:str}/deals                                     leaders    role
POST  /pipelines/{key:str}/drop                                      leaders    role
POST  /pipelines/{key:str}/publish                                   leaders    role
GET   /pipelines/{key:str}/stages/{stage:str}                        leaders    role
POST  /pipelines/{key:str}/stages/{stage:str}                        leaders    role
GET   /plan                                                          workers    -
POST  /plan/calendar                                                 workers    -
GET   /quarantine                                                    leaders    -
POST  /quarantine/again                                              leaders    -
GET   /quarantine/{raw_id:int}                                       leaders    role
POST  /quarantine/{raw_id:int}/again                                 leaders    role
POST  /quarantine/{raw_id:int}/ignore                                leaders    role
GET   /rehearsal                                                     leaders    -
POST  /rehearsal                                                     leaders    -
POST  /rehearsal/followup/{key:str}                                  leaders    role
GET   /rehearsal/runs/{run_id:int}                                   leaders    role
POST  /rehearsal/runs/{run_id:int}/cancel                            leaders    role
GET   /review                                                        workers    -
POST  /review/topic/{message_id:int}                                 workers    conversation
GET   /ringing                                                       workers    -
POST  /ringing/{call_id:int}/dismiss                                 workers    call
GET   /routing                                                       leaders    -
POST  /routing                                                       leaders    -
POST  /routing/order                                                 leaders    -
GET   /routing/try                                                   leaders    -
POST  /routing/{rule_id:int}/remove                                  leaders    role
POST  /routing/{rule_id:int}/shift                                   leaders    role
POST  /routing/{rule_id:int}/switch                                  leaders    role
GET   /search                                                        workers    -
GET   /segments                                                      marketers  -
POST  /segments/draft                                                marketers  -
GET   /segments/new                                                  marketers  -
GET   /segments/{segment_id:int}                                     marketers  role
POST  /segments/{segment_id:int}/archive                             marketers  role
GET   /segments/{segment_id:int}/export                              marketers  role
POST  /segments/{segment_id:int}/restore                             marketers  role
POST  /segments/{segment_id:int}/undo                                marketers  role
GET   /sequences                                                     leaders    -
POST  /sequences                                                     leaders    -
POST  /sequences/release                                             leaders    -
GET   /sequences/{key:str}                                           leaders    role
POST  /sequences/{key:str}                                           leaders    role
GET   /settings                                                      everybody  -
POST  /settings                                                      everybody  -
GET   /meetings/about                                                workers    -
GET   /meetings/new                                                  workers    -
POST  /meetings/new                                                  workers    -
GET   /meetings/{meeting_id:int}                                     workers    conversation
POST  /meetings/{meeting_id:int}/attendees/{attendee_id:int}/keep    workers    conversation
POST  /meetings/{meeting_id:int}/attendees/{attendee_id:int}/take    workers    conversation
POST  /meetings/{meeting_id:int}/cancel                              workers    conversation
GET   /meetings/{meeting_id:int}/change                              workers    conversation
POST  /meetings/{meeting_id:int}/change                              workers    conversation
POST  /meetings/{meeting_id:int}/restore                             workers    conversation
POST  /meetings/{meeting_id:int}/withdraw                            workers    conversation
GET   /reminders                                                     workers    -
POST  /reminders/{notice_id:int}/hide                                workers    own
GET   /settings/notices                                              everybody  -
POST  /settings/notices                                              everybody  -
POST  /settings/password                                             everybody  -
GET   /staff                                                         leaders    -
POST  /staff                                                         leaders    -
GET   /staff/new                                                     leaders    -
GET   /staff/{staff_id:int}                                          leaders    role
POST  /staff/{staff_id:int}                                          leaders    role
POST  /staff/{staff_id:int}/invite                                   leaders    role
POST  /staff/{staff_id:int}/leave                                    leaders    role
POST  /staff/{staff_id:int}/password                                 leaders    role
POST  /staff/{staff_id:int}/return                                   leaders    role
GET   /static/{name:str}                                             public     -
POST  /suggestions/{suggestion_id:int}                               workers    conversation
GET   /tasks                                                         workers    -
GET   /tasks/new                                                     workers    -
POST  /tasks/new                                                     workers    -
POST  /tasks/{task_id:int}/cancel                                    workers    task
POST  /tasks/{task_id:int}/done                                      workers    task
POST  /tasks/{task_id:int}/reopen                                    workers    task
GET   /teams                                                         leaders    -
POST  /teams                                                         leaders    -
POST  /teams/{team_id:int}                                           leaders    role
POST  /territories                                                   leaders    -
POST  /territories/{territory_id:int}                                leaders    role
POST  /territories/{territory_id:int}/remove                         leaders    role
GET   /templates                                                     everybody  -
POST  /templates                                                     everybody  -
GET   /templates/clients                                             everybody  -
GET   /templates/previews/{token:str}                                everybody  own
GET   /templates/{kind:str}/{key:str}                                everybody  role
POST  /templates/{kind:str}/{key:str}                                everybody  own
POST  /templates/{kind:str}/{key:str}/back                           everybody  own
POST  /templates/{kind:str}/{key:str}/files                          everybody  own
GET   /templates/{kind:str}/{key:str}/files/{document_id:int}        everybody  own
POST  /templates/{kind:str}/{key:str}/files/{document_id:int}/remove everybody  own
POST  /templates/{kind:str}/{key:str}/preview                        everybody  role
GET   /templates/{kind:str}/{key:str}/remove                         everybody  own
POST  /templates/{kind:str}/{key:str}/remove                         everybody  own
POST  /templates/{kind:str}/{key:str}/restore                        everybody  own
GET   /templates/{kind:str}/{key:str}/sent                           everybody  role
GET   /templates/{kind:str}/{key:str}/versions/{number:int}          everybody  own
GET   /uncertain                                                     workers    -
POST  /uncertain/{delivery_id:int}                                   workers    conversation
GET   /unsubscribe/{token:str}                                       public     token
POST  /unsubscribe/{token:str}                                       public     token
GET   /welcome/{token:str}                                           public     token
POST  /welcome/{token:str}                                           public     token
GET   /d/{token:str}                                                 public     token
POST  /d/{token:str}                                                 public     token
GET   /files                                                         workers    -
POST  /files                                                         workers    -
POST  /files/{file_id:int}                                           workers    role
POST  /files/{file_id:int}/away                                      workers    role
POST  /files/{file_id:int}/back                                      workers    role
POST  /links/{link_id:int}/extend                                    workers    conversation
POST  /links/{link_id:int}/restore                                   workers    conversation
POST  /links/{link_id:int}/revoke                                    workers    conversation
GET   /voices                                                        leaders    -
POST  /voices/{language:str}                                         leaders    role
POST  /voices/{language:str}/hear                                    leaders    role
"""


def _read() -> dict[tuple[str, str], tuple[str, str]]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return {(method, path): (who, whose) for method, path, who, whose in rows}


EXPECTED = _read()
"""Method and path → who may enter, and whose it must be."""
