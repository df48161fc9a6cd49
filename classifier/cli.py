"""The classifier's commands: `frontdesk classify` and `frontdesk classifier …`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from classifier.classify import Classifier, Labels, Text

PATH = click.Path(exists=True, dir_okay=False, path_type=Path)
ReadLetter = Callable[[bytes], "Text"]
"""Reads a mail into what the classifier sees; `ctx.obj["read_letter"]`, given by the desk."""

OpenSession = Callable[[], Any]
"""A context manager of a session that commits at its end; `ctx.obj["transaction"]`, given by the desk."""


@click.command()
@click.argument(
    "files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--in-force", is_flag=True, help="By the version in force here, from the database.")
@click.pass_context
def classify(ctx: click.Context, files: tuple[Path, ...], as_json: bool, in_force: bool) -> None:
    """Say what letters want, how sure that is and why. Reads mail (.eml), text, or standard input.

    \b
    Examples:
      frontdesk classify letter.eml
      echo "Сколько стоит насос НС-40?" | frontdesk classify --json
    """
    names = [str(path) for path in files] or ["-"]
    texts = [_text(ctx, name) for name in names]
    for name, labels in zip(names, _judge(ctx, in_force).classify(texts), strict=True):
        click.echo(json.dumps(as_data(name, labels), ensure_ascii=False) if as_json else shown(name, labels))


@click.group()
def classifier() -> None:
    """Train, evaluate and compare classifiers."""


@classifier.command()
@click.option("--data", "data", multiple=True, type=PATH, help="CSV or JSON lines with text and label.")
@click.option(
    "--folders",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="An old mailbox: folders of mail files, maildirs or mboxes; each one's name is the label.",
)
@click.option(
    "--target",
    type=click.FloatRange(0.5, 0.999),
    help="Precision a label must reach to be said; else that of the settings.",
)
@click.option("--allow-odd", is_flag=True, help="Learn also from batches of corrections that look odd.")
@click.pass_context
def train(
    ctx: click.Context, data: tuple[Path, ...], folders: Path | None, target: float | None, allow_odd: bool
) -> None:
    """Train on the shipped letters, your examples and what staff corrected.

    \b
    Examples:
      frontdesk classifier train
      frontdesk classifier train --data labelled.csv
      frontdesk classifier train --folders old-mailbox/
    """
    from classifier.learning import retrain
    from classifier.supply import add_folders, add_rows

    with _session(ctx) as session:
        for path in data:
            click.echo(f"{path}: {add_rows(session, path)} new examples", err=True)
        if folders is not None:
            click.echo(f"{folders}: {add_folders(session, folders, _reader(ctx))} new examples", err=True)
        wanted = _precision() if target is None else target
        outcome = retrain(session, allow_odd=allow_odd, target=wanted)
        state = "in force" if outcome.verdict.accepted else "not put in force"
        click.echo(f"{outcome.version.name}: {state}: {outcome.verdict.reason}")
        for batch in outcome.material.odd:
            click.echo(
                f"left out: {len(batch.messages)} corrections to {batch.label} by colleague {batch.staff_id}"
                " within an hour; see them, then use --allow-odd",
                err=True,
            )
        for sender, count in outcome.material.capped.items():
            click.echo(f"left out: {count} messages of {sender}, above the bound for one sender", err=True)


@classifier.command()
@click.option("--train", "train_files", multiple=True, required=True, type=PATH, help="What to learn from.")
@click.option("--test", "test_files", multiple=True, required=True, type=PATH, help="What to answer.")
@click.option("--pool", type=PATH, help="Texts without labels to learn from as well.")
@click.option("--describe", type=PATH, help="What each label means (JSON, or rows of label, description).")
@click.option(
    "--predictions", type=click.Path(dir_okay=False, path_type=Path), help="Write each answer here."
)
@click.option(
    "--page", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page here."
)
@click.option("--language", type=click.Choice(["en", "ru", "lt"]), default="en", help="Language of the page.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
def evaluate(
    train_files: tuple[Path, ...],
    test_files: tuple[Path, ...],
    pool: Path | None,
    describe: Path | None,
    predictions: Path | None,
    page_file: Path | None,
    language: str,
    as_json: bool,
) -> None:
    """Train on one file, answer another, and measure.

    Files are CSV or JSON lines with `text` and `label` (or `labels`, for texts that bear several), and
    `oos` for texts that belong to no label. --predictions writes one JSON object for each test row, in
    their order, with the labels said and how sure that is.

    \b
    Example:
      frontdesk classifier evaluate --train a.csv --test b.csv --json --predictions answers.jsonl
    """
    from classifier.dataset import read_descriptions, read_rows, read_texts
    from classifier.evaluation import as_text, prediction_rows, remarks
    from classifier.evaluation import evaluate as measure

    _may_be_written(predictions, page_file)
    train_rows, test_rows = read_rows(train_files), read_rows(test_files)
    unlabelled = read_texts(pool) if pool else []
    told = read_descriptions(describe) if describe else None
    for remark in remarks(train_rows, test_rows, unlabelled):
        click.echo(remark, err=True)
    result = measure(train_rows, test_rows, pool=unlabelled, descriptions=told)
    if predictions is not None:
        lines = [json.dumps(row, ensure_ascii=False) for row in prediction_rows(test_rows, result.answers)]
        predictions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if page_file is not None:
        from classifier.report import page

        page_file.write_text(page(result, language), encoding="utf-8")
    click.echo(json.dumps(result.as_data(), ensure_ascii=False) if as_json else as_text(result))


@classifier.command()
@click.option(
    "--page", "page_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page here."
)
@click.option("--language", type=click.Choice(["en", "ru", "lt"]), default="en", help="Language of the page.")
@click.option("--starter", is_flag=True, help="On the shipped letters, by letter, instead of corrections.")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
@click.pass_context
def report(ctx: click.Context, page_file: Path | None, language: str, starter: bool, as_json: bool) -> None:
    """How good the classifier has been on messages that staff judged, in all and by week.

    \b
    Examples:
      frontdesk classifier report
      frontdesk classifier report --starter --page report.html --language lt
    """
    from classifier.evaluation import as_text
    from classifier.report import page

    weeks: list[tuple[str, float, int]] = []
    if starter:
        from classifier.starterscore import on_starter

        result = on_starter()
    else:
        from classifier.history import by_week, from_corrections

        with _session(ctx) as session:
            result = from_corrections(session)
            weeks = [(one.week, one.accuracy or 0.0, one.messages) for one in by_week(session)]
    if page_file is not None:
        page_file.write_text(page(result, language, weeks), encoding="utf-8")
    if as_json:
        data = result.as_data() | {"weeks": [{"week": w, "accuracy": a, "messages": n} for w, a, n in weeks]}
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    click.echo(as_text(result))
    for week, accuracy, messages in weeks:
        click.echo(f"{week}  {accuracy:6.1%}  {messages} messages")


@classifier.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--label", help="Explain this label rather than the most probable one.")
@click.option("--in-force", is_flag=True, help="By the version in force here, from the database.")
@click.pass_context
def explain(ctx: click.Context, file: Path, label: str | None, in_force: bool) -> None:
    """Show the words and rules that decided about one letter.

    \b
    Example:
      frontdesk classifier explain letter.eml
    """
    from core.errors import InputRefused

    judge = _judge(ctx, in_force)
    if label is not None and label not in judge.model.labels:
        raise InputRefused(f"There is no label {label!r}.", cure=f"Labels: {', '.join(judge.model.labels)}.")
    text = _text(ctx, str(file))
    click.echo(shown(str(file), judge.classify([text])[0]))
    for word, weight in judge.explain(text, label):
        click.echo(f"  {weight:+.3f}  {word}")


@classifier.command()
@click.pass_context
def versions(ctx: click.Context) -> None:
    """List the versions of the classifier and how each was judged."""
    from classifier.versions import versions as all_versions

    with _session(ctx) as session:
        listed = all_versions(session)
        if not listed:
            click.echo("Only the shipped classifier.")
        for version in listed:
            click.echo(
                f"{version.name}  {version.state.value:9}  {version.made_at:%Y-%m-%d %H:%M}  {version.reason}"
            )


@classifier.command()
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON.")
@click.pass_context
def compare(ctx: click.Context, before: str, after: str, as_json: bool) -> None:
    """Judge two versions on the messages kept for judging. `shipped` is the one that came with frontdesk.

    \b
    Example:
      frontdesk classifier compare shipped own-1f6bd2a90c11
    """
    from dataclasses import asdict

    from classifier.comparison import compare as judge

    with _session(ctx) as session:
        found = judge(session, before, after)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    click.echo(f"{found.messages} judging messages: {found.better} better, {found.worse} worse")
    for side in (found.before, found.after):
        click.echo(
            f"{side.name:24} accuracy {side.accuracy:.3f}  macro-F1 {side.macro_f1:.3f}  "
            f"answered {side.answered:.3f} at precision {side.precision:.3f}"
        )
    for change in found.changes:
        click.echo(f"  message {change.message_id}: {change.true}: {change.before} -> {change.after}")


@classifier.command()
@click.argument("name", required=False)
@click.pass_context
def rollback(ctx: click.Context, name: str | None) -> None:
    """Put an earlier version in force: the named one, or the one before the present.

    \b
    Examples:
      frontdesk classifier rollback
      frontdesk classifier rollback shipped
    """
    from classifier.versions import rollback as go_back

    with _session(ctx) as session:
        click.echo(f"In force: {go_back(session, name)}")


def as_data(name: str, labels: Labels) -> dict[str, Any]:
    """Labels as plain data for JSON."""
    return {
        "file": name,
        "language": labels.language,
        "intent": labels.intent,
        "confidence": labels.confidence,
        "alternatives": [{"intent": intent, "probability": p} for intent, p in labels.alternatives],
        "urgency": labels.urgency.value,
        "signal": labels.signal.value,
        "interests": [{"product": p, "confidence": c, "reason": r} for p, c, r in labels.interests],
        "abstained": labels.abstained,
        "reasons": [{"kind": one.kind, "text": one.text, "weight": one.weight} for one in labels.reasons],
        "model": labels.model_version,
    }


def shown(name: str, labels: Labels) -> str:
    """Labels as a few readable lines."""
    likely = ", ".join(f"{intent} {p:.0%}" for intent, p in labels.alternatives)
    said = labels.intent or "not sure"
    lines = [
        f"{name}: {said} ({labels.confidence:.0%}), {labels.language or 'unknown language'}, {labels.urgency}"
    ]
    lines.append(f"  likely: {likely}")
    lines += [f"  {one.kind}: {one.text}" for one in labels.reasons]
    lines += [f"  product {product}: {reason}" for product, _, reason in labels.interests]
    return "\n".join(lines)


def _text(ctx: click.Context, name: str) -> Text:
    from classifier.supply import text_of

    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return text_of(content, name, _reader(ctx))


def _may_be_written(*paths: Path | None) -> None:
    """Found out before the training rather than after it."""
    from core.errors import InputRefused

    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise InputRefused(f"There is no folder {path.parent}.", cure="Make it first.")


def _reader(ctx: click.Context) -> ReadLetter | None:
    given = ctx.find_object(dict)
    return None if given is None else given.get("read_letter")


@contextmanager
def _session(ctx: click.Context) -> Iterator[Session]:
    given = ctx.find_object(dict)
    if given is not None and "transaction" in given:
        with given["transaction"]() as session:
            yield session
        return
    from core.config import load_settings
    from core.db import check_schema, make_engine, transaction
    from core.localdb import LocalDatabase

    settings = load_settings()
    local: LocalDatabase | None = None
    if settings.database_url is None:
        local = LocalDatabase(settings.data_dir / "database", bin_dir=settings.database.bin_dir)
        engine = make_engine(local.ensure())
    else:
        engine = make_engine(settings.database_url.get_secret_value())
    try:
        check_schema(engine)
        with transaction(engine) as session:
            yield session
    finally:
        engine.dispose()
        if local is not None:
            local.release()


def _precision() -> float:
    from core.config import load_settings

    return load_settings().classifier.precision


def _judge(ctx: click.Context, in_force: bool) -> Classifier:
    if not in_force:
        from classifier.classify import Classifier

        return Classifier.load()
    from classifier.inforce import loaded

    with _session(ctx) as session:
        return loaded(session)


__all__: Sequence[str] = ["as_data", "classifier", "classify", "shown"]
