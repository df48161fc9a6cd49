"""From a delivery to the bytes that go out: rendered, addressed, threaded, and the same id at every
attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from email.utils import format_datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core import clock, documents
from core.config import Settings
from core.documents import Document
from core.errors import FrontdeskError
from core.outbox import Purpose
from core.outbox_history import Copy
from core.outbox_pages import Claimed
from core.templatelibrary_uses import Use, record
from outbound import dkim, headers, mime
from outbound.channels.base import Letter
from outbound.filelinks import FileLinks
from outbound.mailingtexts import Attached, files_of, is_mailing, of, use_of
from outbound.placing import template_values
from outbound.sender import Sender, sender_of
from outbound.unsubscribe import Unsubscriber
from templates.catalogue import UNASKED, Catalogue
from templates.rendered import CompiledEmail, RenderedEmail, compile_email, render_document


@dataclass(frozen=True, slots=True)
class Composed:
    """A letter ready to go, its Message-ID without brackets, and the copy for the client's history."""

    letter: Letter
    rfc_id: str | None
    """None where it is no mail."""
    copy: Copy | None
    """None where the delivery belongs to no conversation."""
    use: Use | None = field(default=None, kw_only=True)
    """Which text it was made of; None where a person's own words or a mailing's are all it holds."""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A letter's words, what they were made of, and the files that go along."""

    email: RenderedEmail
    use: Use | None = None
    files: Sequence[Attached] = ()


_Wanted = tuple[str, str, int | None]
"""A template's key, the language, and whose letter it is."""


class Ours(Protocol):
    """Whom what we send comes from."""

    @property
    def ours(self) -> frozenset[str]:
        """All our own addresses or numbers."""
        ...


class Composes(Protocol):
    """What makes deliveries of one channel ready to go."""

    @property
    def sender(self) -> Ours:
        """Whom they come from."""
        ...

    def compose_page(
        self, page: Sequence[Claimed], made: dict[int, list[Document]]
    ) -> Mapping[int, Composed | FrontdeskError]:
        """Each delivery, ready or with the error that keeps it from being so."""
        ...

    def make_documents(self, session: Session, claimed: Claimed) -> list[Document]:
        """The documents it carries."""
        ...


class Composer:
    """Composes letters for one company; made once a process."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue | None = None,
        now: Callable[[], datetime] = clock.now,
        gateway: Callable[[str], str] | None = None,
    ) -> None:
        """``gateway`` gives the mail address that takes letters to addresses of another kind. Raises
        ConfigurationError where the settings name no relay.
        """
        self.sender: Sender = sender_of(settings)
        self._gateway = gateway
        self._signers = dkim.signers_of(settings.dkim, self.sender.domain)
        self.unsubscriber = Unsubscriber(settings.signing_key(), settings.company.public_url)
        self._catalogue = catalogue
        self._zone = ZoneInfo(settings.company.timezone)
        self.file_links = FileLinks(settings.signing_key(), settings.company.public_url, self._zone)
        self._now = now

    def compose_page(
        self, page: Sequence[Claimed], made: dict[int, list[Document]]
    ) -> dict[int, Composed | FrontdeskError]:
        """Each delivery's letter, or the error that keeps it from being one; ``made`` holds documents by
        delivery.
        """
        results: dict[int, Composed | FrontdeskError] = {}
        templates = _Compiling(self._catalogue)
        together = self._render_together(page, templates)
        for claimed in page:
            try:
                results[claimed.id] = self._compose(
                    claimed, made.get(claimed.id, []), templates, together.get(claimed.id)
                )
            except FrontdeskError as error:
                results[claimed.id] = error
        return results

    def make_documents(self, session: Session, claimed: Claimed) -> list[Document]:
        """Make the documents a delivery carries, numbered and kept, in the caller's transaction.

        Raises what rendering raises; the number goes back with the transaction.
        """
        today = self._today()
        made: list[Document] = []
        catalogue = of(self._catalogue, claimed.staff_id, claimed.versions)
        for key in claimed.documents:
            content = documents.fingerprint(claimed.values, claimed.language)
            version = documents.next_version(
                session, key, today.year, deal_id=claimed.deal_id, content=content
            )
            if version.known is not None:
                made.append(documents.send_again(session, version.known, claimed.id))
                continue
            number = version.number
            rendered = render_document(
                key,
                claimed.language,
                self._values(claimed, {"number": number, "date": today} if number else {"date": today}),
                catalogue,
            )
            use = use_of(catalogue, catalogue.source("document", key, claimed.language), claimed.id)
            record(session, [use] if use is not None else [])
            made.append(
                documents.keep(
                    session,
                    kind=key,
                    number=number,
                    version=version.version,
                    content=content,
                    title=rendered.title,
                    filename=rendered.filename,
                    content_type=rendered.content_type,
                    language=rendered.language,
                    data=rendered.content,
                    deal_id=claimed.deal_id,
                    delivery_id=claimed.id,
                )
            )
        return made

    def _today(self) -> date:
        return self._now().astimezone(self._zone).date()

    def _compose(
        self,
        claimed: Claimed,
        made: Sequence[Document],
        templates: _Compiling,
        together: RenderedEmail | None,
    ) -> Composed:
        link = self._unsubscribe_link(claimed)
        whole = _Rendered(together) if together else self._render(claimed, made, link, templates)
        rendered = self.file_links.offered(whole.email, claimed.files)
        rfc_id = claimed.rfc_id or f"fd-{claimed.letter_token or claimed.token}@{self.sender.domain}"
        name = self._name(claimed)
        carried, offered = claimed, link
        if self._gateway is not None:
            # The link in its words names the reader; a gateway's own programs must not follow it.
            carried, offered = replace(claimed, address=self._gateway(claimed.address)), None
        data = mime.written(
            self._fields(carried, rendered, rfc_id, name, offered),
            rendered.text,
            rendered.html,
            [
                *(mime.Part(one.filename, one.content_type, one.data) for one in (*made, *whole.files)),
                *(mime.Part(one.name, one.content_type, one.data) for one in claimed.enclosed),
            ],
            claimed.token,
            mime.invitation_of(claimed.values),
        )
        data = dkim.signed(data, self._signers, lambda: self._now().timestamp())
        letter = Letter(claimed.id, self.sender.address, (carried.address,), data, claimed.token)
        if claimed.copy_of_id is not None:
            # History holds the letter itself, and counts it once among the uses of its text.
            return Composed(letter, rfc_id, None)
        attached = [one.id for one in made] + [one.document_id for one in whole.files]
        return Composed(letter, rfc_id, self._copy(claimed, rendered, rfc_id, name, attached), use=whole.use)

    def _render_together(self, page: Sequence[Claimed], templates: _Compiling) -> dict[int, RenderedEmail]:
        """What a page holds of the same mailing, rendered in one go: each goes to a child process.

        Where one of them fails, each is rendered for itself later, so that only that one is refused.
        """
        groups: dict[tuple[str, str], list[Claimed]] = {}
        for claimed in page:
            if claimed.template is not None and is_mailing(claimed.template):
                groups.setdefault((claimed.template, claimed.language), []).append(claimed)
        rendered: dict[int, RenderedEmail] = {}
        for wanted, group in groups.items():
            with suppress(FrontdeskError):
                compiled, _ = templates.get(*wanted, None)
                values = [self._values(one, None, self._unsubscribe_link(one)) for one in group]
                rendered |= zip((one.id for one in group), compiled.render_all(values), strict=True)
        return rendered

    def _values(
        self, claimed: Claimed, document: dict[str, object] | None = None, link: str | None = None
    ) -> dict[str, dict[str, object]]:
        return template_values(
            claimed.values,
            self.sender.company,
            staff={"name": self.sender.name, "email": self.sender.answers_to(claimed.mailbox)},
            document=document,
            links={"unsubscribe": link} if link else None,
        )

    def _render(
        self,
        claimed: Claimed,
        made: Sequence[Document],
        link: str | None,
        templates: _Compiling,
    ) -> _Rendered:
        if claimed.template is None:
            return _Rendered(RenderedEmail(claimed.subject, claimed.body, "", claimed.language))
        compiled, catalogue = templates.get_for(claimed, claimed.template)
        document: dict[str, object] | None = None
        if made:
            dated = made[0].created_at.astimezone(self._zone).date() if made[0].created_at else self._today()
            document = {"number": made[0].number or "", "date": dated}
        return _Rendered(
            compiled.render(self._values(claimed, document, link)),
            use_of(catalogue, compiled.source, claimed.id),
            files_of(self._catalogue, catalogue, compiled.source),
        )

    def _unsubscribe_link(self, claimed: Claimed) -> str | None:
        due = claimed.purpose == Purpose.MARKETING or claimed.template in UNASKED
        return self.unsubscriber.link(claimed.address, claimed.id) if due else None

    def _name(self, claimed: Claimed) -> str:
        """What stands beside our address: the colleague's name where a person wrote."""
        writer = (claimed.values.get("staff") or {}).get("name")
        if claimed.automatic or not writer or writer == self.sender.name:
            return self.sender.name
        return f"{writer} ({self.sender.name})"

    def _fields(
        self, claimed: Claimed, rendered: RenderedEmail, rfc_id: str, name: str, link: str | None
    ) -> list[tuple[str, str]]:
        """The header fields, in the order in which they stand."""
        fields = [
            ("Date", format_datetime(self._now().astimezone(self._zone))),
            ("From", headers.mailbox(name, self.sender.address)),
            *_readers(claimed),
            ("Subject", headers.encoded(rendered.subject.strip(), begins=9)),
            ("Message-ID", f"<{rfc_id}>"),
        ]
        answers_to = self.sender.answers_to(claimed.mailbox)
        if answers_to != self.sender.address:
            fields.append(("Reply-To", headers.mailbox(self.sender.name, answers_to)))
        if claimed.in_reply_to and (parent := headers.references([claimed.in_reply_to])):
            fields.append(("In-Reply-To", parent))
        chain = [*claimed.reference_ids, *([claimed.in_reply_to] if claimed.in_reply_to else [])]
        if known := headers.references(chain):
            fields.append(("References", known))
        if claimed.automatic:
            kind = "auto-replied" if claimed.in_reply_to else "auto-generated"
            fields += [("Auto-Submitted", kind), ("X-Auto-Response-Suppress", "OOF, AutoReply")]
        if link is not None:
            fields.append(("List-Unsubscribe", f"<{link}>,\r\n <mailto:{answers_to}?subject=unsubscribe>"))
            if self.unsubscriber.one_click:
                fields.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
        return fields

    def _copy(
        self, claimed: Claimed, rendered: RenderedEmail, rfc_id: str, name: str, attached: Sequence[int]
    ) -> Copy | None:
        if claimed.conversation_id is None:
            return None
        return Copy(
            delivery_id=claimed.id,
            conversation_id=claimed.conversation_id,
            contact_id=claimed.contact_id,
            staff_id=claimed.staff_id,
            recipient_name=claimed.recipient_name,
            recipient=claimed.address,
            subject=rendered.subject,
            text=rendered.text,
            reply=claimed.body,
            language=rendered.language,
            rfc_id=rfc_id,
            sender_name=name,
            sender=self.sender.address,
            has_html=bool(rendered.html),
            document_ids=tuple(attached),
            copied=(claimed.addressed or {}).get("cc", ()),
        )


def _readers(claimed: Claimed) -> list[tuple[str, str]]:
    """To, and Cc where there are copies: the same in all of them."""
    named = claimed.addressed or {"to": [(claimed.recipient_name, claimed.address)]}
    return [
        (field, ",\r\n ".join(headers.mailbox(name, address) for name, address in pairs))
        for field, pairs in (("To", named["to"]), ("Cc", named.get("cc")))
        if pairs
    ]


class _Compiling:
    """The templates of one page of deliveries, each looked up and compiled once."""

    def __init__(self, live: Catalogue | None) -> None:
        self._live = live
        self._seen: dict[int | None, Catalogue] = {}
        self._made: dict[_Wanted, CompiledEmail | FrontdeskError] = {}

    def get_for(self, claimed: Claimed, key: str) -> tuple[CompiledEmail, Catalogue]:
        """A delivery's template, in the version that it is held to. Raises what `compile_email` raises."""
        if not claimed.versions:
            return self.get(key, claimed.language, claimed.staff_id)
        catalogue = of(self._live, claimed.staff_id, claimed.versions)
        return compile_email(key, claimed.language, catalogue), catalogue

    def get(self, key: str, language: str, staff_id: int | None) -> tuple[CompiledEmail, Catalogue]:
        """A template as a colleague's letters take it, and the catalogue it was taken from.

        Raises what `compile_email` raises.
        """
        if staff_id not in self._seen:
            self._seen[staff_id] = of(self._live, staff_id)
        catalogue, wanted = self._seen[staff_id], (key, language, staff_id)
        if wanted not in self._made:
            try:
                self._made[wanted] = compile_email(key, language, catalogue)
            except FrontdeskError as error:
                self._made[wanted] = error
        made = self._made[wanted]
        if isinstance(made, FrontdeskError):
            raise made
        return made, catalogue
