"""What the pages say is so: commands exist, links lead somewhere, names are the names of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from desk.cli import COMMANDS, frontdesk
from tests.docs.pages import ROOT, Command, commands, links, pages

SAMPLE = ROOT / "desk/demo/letters/lt/03-demo-request.eml"
READ = (".csv", ".eml", ".mbox", ".dump")
"""What files end in that the pages' commands read."""

RUNNABLE = frozenset({"parse", "classify"})
"""Commands that need nothing but their arguments, and are run."""


@pytest.fixture
def words(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command's words, with the files it reads in the working folder."""
    monkeypatch.chdir(tmp_path)
    words = [Path(word).name if word.endswith(READ) else word for word in command.words]
    for word in words:
        if word.endswith(READ):
            shutil.copy(SAMPLE, tmp_path / word)
    return words


@pytest.mark.parametrize("command", sorted(set(commands()), key=str), ids=str)
def test_every_command_on_a_page_is_one_that_can_be_given(command: Command, words: list[str]) -> None:
    group: click.Command = frontdesk
    context = click.Context(frontdesk, info_name="frontdesk")
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        found = group.get_command(context, words[0])
        if found is None:
            pytest.fail(f"there is no command {words[0]!r}")
        group, words = found, words[1:]
    with group.make_context(str(command), words, parent=context):
        pass


@pytest.mark.parametrize(
    "command", [one for one in commands() if one.words and one.words[0] in RUNNABLE], ids=str
)
def test_commands_that_need_no_server_run_as_they_stand(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desk.cli", *words],
        input="Laba diena, kiek kainuoja siurblys?",
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_every_command_has_its_section_on_the_page_of_commands() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### `([a-z]+)`$", page, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_on_a_page_leads_to_a_file(page: Path) -> None:
    missing = [target for target in links(page) if not (page.parent / target.partition("#")[0]).exists()]
    assert missing == []


NOUNS = re.findall(
    r"\w+",
    """
    Account Contact ContactPoint BuyingRole StaffMember Team Territory Industry Product ProductInterest
    Channel Conversation Message Attachment Call Recording Transcript Classification Assignment
    Pipeline Stage Deal StageChange LossReason Task Activity ResponseTarget
    Segment Campaign Sequence SequenceStep Enrolment
    Template Placeholder Document Delivery DeliveryEvent Suppression Consent Job
    """,
)


def test_every_noun_of_the_business_stands_in_the_glossary_in_three_languages() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in glossary.splitlines()
        if line.startswith("| ")
    ]
    assert set(NOUNS) <= {row[0] for row in rows}
    assert [row for row in rows if len(row) != 5 or not all(row)] == []


def test_readme_begins_with_the_two_commands_and_they_are_in_the_makefile() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert readme.index("make demo") < readme.index("make test") < readme.index("frontdesk init")
    assert re.search(r"^demo:", makefile, re.MULTILINE)
    assert re.search(r"^test:", makefile, re.MULTILINE)


@pytest.mark.long
def test_pages_build_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-W",
            "-q",
            "-b",
            "html",
            str(ROOT / "docs"),
            str(tmp_path / "html"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
