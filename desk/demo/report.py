"""What the demonstration prints: what came, how it was understood, where it went and what was sent."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.intents import intent_name
from desk.demo.letterbox import DESK_PORT, SMTP_PORT
from desk.demo.observed import OUT, News, Outgoing, Seen

RULES = {
    "keeps_conversation": "has the conversation",
    "owns_deal": "owns the deal",
    "curates_account": "looks after the client",
    "topic_team": "topic",
    "mailbox_team": "mailbox",
    "least_loaded": "least loaded",
    "nobody_here": "queue of the team",
    "hand": "by hand",
}


def _table(title: str, *columns: str, wide: str = "") -> Table:
    """A table; the column `wide` takes what the others leave."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        expand=bool(wide),
    )
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True, ratio=1 if column == wide else None)
    return table


def letters(console: Console, seen: Sequence[Seen]) -> None:
    """What arrived, how each letter was understood, and where it went."""
    table = _table("What arrived", "Letter", "", "Topic", "Sure", "To", "Because", "Answer", wide="Letter")
    for one in seen:
        table.add_row(_letter(one), *_understood(one))
    console.print(table)


def _letter(one: Seen) -> Text:
    """Its subject, who it is from, and below it what is difficult about it and why it was not filed."""
    shown = Text(one.subject or (one.letter.file if not one.times else "(no subject)"))
    if one.sender:
        shown.append(f"  {one.sender}", "dim")
    for below in filter(None, (one.letter.nasty, one.reason)):
        shown.append(f"\n  {below}", "dim italic")
    return shown


def _understood(one: Seen) -> tuple[Text | str, ...]:
    if not one.times:
        return one.letter.language or "", Text(one.state or "lost", "yellow"), "", "", "", ""
    return (
        one.language or "?",
        intent_name(one.intent) if one.intent else Text("not sure", "dim"),
        f"{one.confidence:.2f}",
        one.assignee,
        RULES.get(one.rule, one.rule),
        ", ".join(one.answers) or Text("none", "dim"),
    )


def outgoing(console: Console, deliveries: Sequence[Outgoing]) -> None:
    """What was sent."""
    table = _table("What was sent", "To", "Subject", "Template", "State", "At the relay", wide="Subject")
    for one in deliveries:
        style = "" if one.state in OUT else "red"
        table.add_row(one.address, one.subject, one.template, Text(one.state.value, style), f"{one.taken} ×")
    console.print(table)


def story(console: Console, told: Iterable[str]) -> None:
    """What happened then, a line each."""
    console.print(Text("What happened then", "bold"))
    for line in told:
        console.print(f"  {line}", highlight=False)
    console.print()


def books(console: Console, said: str) -> None:
    """What `frontdesk ledger` says."""
    console.print(Text("frontdesk ledger", "bold"))
    console.print(said.strip() + "\n", highlight=False, markup=False)


def summary(console: Console, seen: Sequence[Seen]) -> None:
    """The letters in three lines, for who goes on to the desk."""
    filed = [one for one in seen if one.times]
    languages = Counter(one.language for one in filed)
    spoken = ", ".join(f"{count} {language}" for language, count in sorted(languages.items(), key=str))
    answered = sum(bool(one.answers) for one in filed)
    machines = sum(one.state == "ignored" for one in seen)
    console.print(
        f"{len(filed)} letters filed ({spoken}), {answered} acknowledged; {machines} from machines, "
        f"answered by nobody; {len(seen) - len(filed) - machines} that cannot be read.",
        highlight=False,
    )


def verdict(console: Console, wrong: Sequence[str]) -> None:
    """Whether all of it holds."""
    if not wrong:
        console.print(Text("All of it holds.", "bold green"))
        return
    console.print(Text(f"{len(wrong)} things do not hold:", "bold red"))
    for fault in wrong:
        console.print(f"  {fault}", highlight=False)


def doors(
    console: Console, *, desk: str, smtp_port: int, logins: Sequence[tuple[str, str]], secret: str
) -> None:
    """Where the desk is, who can sign in, and how to write to the company."""
    console.print()
    console.print(Text.assemble(("The desk is open: ", "bold"), (desk, "bold underline")))
    table = _table("Sign in", "As", "Who")
    for address, who in logins:
        table.add_row(address, who)
    console.print(table)
    console.print(f"Everybody's password is [bold]{secret}[/bold].\n", highlight=False)
    console.print(Text("Send it a letter, from another terminal:", "bold"))
    program = "frontdesk" if shutil.which("frontdesk") else str(Path(sys.executable).with_name("frontdesk"))
    port = "" if smtp_port == SMTP_PORT else f" --port {smtp_port}"
    for line in (
        f'{program} demo send{port} --subject "Two pumps" "What do two Aura 25-60 pumps cost?"',
        f'{program} demo send{port} --from jonas@imone.example "Laba diena, ar turite drenažinių siurblių?"',
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print(
        f"or with any mail program: SMTP at 127.0.0.1, port {smtp_port}, no encryption, no password."
    )
    console.print(Text("\nRing the company, from another terminal:", "bold"))
    road = "" if desk.endswith(f":{DESK_PORT}") else f" --port {desk.rpartition(':')[2]}"
    for line in (
        f'{program} demo call{road} +37061200101 --says "Ar galėtumėte atsiųsti pasiūlymą?"',
        f'{program} demo call{road} +37061234567 --keys 21 --nobody --says "Перезвоните, пожалуйста."',
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print("\nCtrl-C ends everything and leaves nothing behind.", highlight=False)


def happened(console: Console, news: News) -> None:
    """A line for what has just come or gone."""
    at = f"{datetime.now().astimezone():%H:%M:%S}"
    subject = news.subject or "(no subject)"
    if news.incoming:
        about = intent_name(news.about) if news.about else "not sure what about"
        line = f"{at}  in   {news.who}: {subject} · {about} · to {news.assignee or 'nobody yet'}"
    else:
        line = f"{at}  out  {news.who}: {subject}"
    console.print(line, highlight=False, markup=False)
