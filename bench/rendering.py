"""What one rendered mail costs in processor time, beside bare Jinja2 on the same finished sources.

    python bench/rendering.py [--mails 2000]

Rows: bare Jinja2 (no sandbox, values already in local form), ours as a mailing renders it (values checked,
put into local form, three parts), ours one by one through `render_email`, and a company's own through
the bounded child, whose own processor time is read from /proc. Everything is CPU milliseconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from templates import composition
from templates.bounded import pdf_child, text_child
from templates.catalogue import Catalogue, shipped
from templates.placeholders import samples
from templates.rendered import Values, compile_email, render_document, render_email
from templates.unit import Source, compile_unit
from templates.values import context

LANGUAGE = "lt"
ROUNDS = 5


def spent() -> float:
    """Processor seconds of this process and of the children that render, alive as they are."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    total = mine.ru_utime + mine.ru_stime
    for child in (text_child(), pdf_child()):
        if child.pid is not None:
            ticks = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            total += sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return total


def per_piece(work: Callable[[], object], pieces: int) -> float:
    """CPU milliseconds for one of `pieces`: the median of a few rounds after one to warm up."""
    work()
    rounds: list[float] = []
    for _ in range(ROUNDS):
        before = spent()
        work()
        rounds.append((spent() - before) * 1000 / pieces)
    return statistics.median(rounds)


def bare(source: Source, many: list[Values]) -> Callable[[], object]:
    """Plain Jinja2 over the same composed sources, given ready contexts."""
    names = compile_unit(source).names
    sources = {
        "subject.txt": composition.plain(source.parts["subject.txt"], "s", LANGUAGE),
        "body.txt": composition.mail_text(source.parts["body.txt"], "t", LANGUAGE),
        "body.html": composition.mail_html(
            source.parts.get("body.html"), source.parts["body.txt"], "h", LANGUAGE
        ),
    }
    templates = []
    for part, text in sources.items():
        environment = Environment(autoescape=part.endswith("html"))
        environment.filters["paragraphs"] = environment.filters["quoted"] = str
        templates.append(environment.from_string(text))
    contexts = [context("bench", names, values, LANGUAGE) for values in many]

    def work() -> None:
        for given in contexts:
            for template in templates:
                template.render(given)

    return work


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=2000)
    mails: int = parser.parse_args().mails
    many: list[Values] = []
    for number in range(mails):
        values = samples(LANGUAGE)
        values["client"]["name"] = f"Client {number}"
        values["links"]["unsubscribe"] = f"https://www.example.com/u/{number}"
        many.append(values)

    table = Table("template", "work", "CPU ms a mail", "x bare", title=f"{mails} mails, {LANGUAGE}")
    for key in ("follow_up", "demo_invitation", "commercial_offer"):
        source = shipped().source("email", key, LANGUAGE)
        compiled = compile_email(key, LANGUAGE)
        floor = per_piece(bare(source, many), mails)
        table.add_row(key, "bare Jinja2, ready values", f"{floor:.3f}", "1.0")
        ours = per_piece(lambda compiled=compiled: compiled.render_all(many), mails)
        table.add_row("", "a mailing: checked values, 3 parts", f"{ours:.3f}", f"{ours / floor:.1f}")
        single = per_piece(lambda key=key: [render_email(key, LANGUAGE, values) for values in many], mails)
        table.add_row("", "one by one", f"{single:.3f}", f"{single / floor:.1f}")
        own = Catalogue({f"email/{key}/{LANGUAGE}/{part}": text for part, text in source.parts.items()})
        bounded = compile_email(key, LANGUAGE, own)
        theirs = per_piece(lambda bounded=bounded: bounded.render_all(many), mails)
        table.add_row("", "own template, in the bounded child", f"{theirs:.3f}", f"{theirs / floor:.1f}")
    Console().print(table)

    documents = 10
    cold = per_piece(lambda: [compile_unit(shipped().source("email", "commercial_offer", LANGUAGE))], 1)
    Console().print(f"compiling one email, styles inlined: {cold:.1f} ms, once a process and variant")
    values = samples(LANGUAGE)
    pdf = per_piece(
        lambda: [render_document("commercial_offer", LANGUAGE, values) for _ in range(documents)], documents
    )
    Console().print(f"one offer as PDF: {pdf:.0f} ms")


if __name__ == "__main__":
    main()
