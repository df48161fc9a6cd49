"""How well mail is understood, beside other libraries in the same run: `python -m bench.mail [--show]`."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from bench import mailpeers, mailsets
from bench.mailsets import MimeCase, ReplyCase, folded

SHOW = "--show" in sys.argv
Row = tuple[str, ...]

REASONS = {
    "invalid": "userunknown hostunknown hasmoved notaccept",
    "full": "mailboxfull",
    "size": "mesgtoobig exceedlimit",
    "refused": "blocked badreputation requireptr authfailure policyviolation rejected spamdetected "
    "securityerror "
    "contenterror virusdetected norelaying notcompliantrfc filtered",
    "temporary": "expired networkerror systemerror mailererror toomanyconn speeding systemfull",
    "other": "suspend onhold undefined",
    "complaint": "feedback",
    "none": "delivered vacation",
}
"""sisimai's reasons by our classes; blocked and policy together are `refused`."""


def table(title: str, head: Row, rows: Iterable[Row]) -> None:
    """Print one table."""
    rows = [head, *rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def guarded(call: Callable[..., Any], *arguments: Any) -> Any:
    """The answer, or None where the library raised.

    Libraries raise whatever the bytes lead them into, and how often is one of the things compared.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(*arguments)
    except Exception:
        return None


def mime_table(title: str, cases: list[MimeCase]) -> None:
    """Right answers by field."""
    if not cases:
        return
    fields = ("subject", "sender", "text", "attachments")
    asked = [sum(getattr(case, name) is not None for case in cases) for name in fields]
    rows: list[Row] = []
    for parser, read in mailpeers.MIME.items():
        right = dict.fromkeys(fields, 0)
        crashes = 0
        for case in cases:
            found = guarded(read, case.raw)
            crashes += found is None
            for name, value in zip(fields, found or (None,) * 4, strict=True):
                wanted = getattr(case, name)
                if wanted is None:
                    continue
                good = value == wanted if isinstance(wanted, int) else folded(str(value)) == folded(wanted)
                right[name] += bool(found) and good
                if SHOW and parser == "frontdesk" and not good:
                    print(f"    {title}/{case.name} {name}: {str(value)[:90]!r}, wanted {str(wanted)[:90]!r}")
        whole = sum(right.values())
        rows.append(
            (parser, *(f"{right[name]}/{number}" for name, number in zip(fields, asked, strict=True)),
             f"{100 * whole / sum(asked):.1f} %", str(crashes))
        )  # fmt: skip
    table(f"MIME: {title}, {len(cases)} letters", ("", *fields, "all", "raised"), rows)


def reply_table(sets: dict[str, list[ReplyCase]]) -> None:
    """Replies complete and with no quote in them."""
    rows: list[Row] = []
    for parser, read in mailpeers.REPLY.items():
        cells = []
        for title, cases in sets.items():
            right = 0
            for case in cases:
                found = guarded(read, case.text, case.html)
                good = found is not None and folded(found) == folded(case.reply)
                right += good
                if SHOW and parser == "frontdesk" and not good:
                    print(f"    {title}/{case.name}: {str(found)[-200:]!r}")
            cells.append(f"{right}/{len(cases)}")
        rows.append((parser, *cells))
    table("Replies: exactly the new part", ("", *sets), rows)


def forward_table(cases: list[tuple[str, str]]) -> None:
    """First senders of forwarded letters."""
    rows = []
    for parser, read in mailpeers.FORWARD.items():
        right = sum(guarded(read, text) == "john.doe@acme.com" for _, text in cases)
        rows.append((parser, f"{right}/{len(cases)}", f"{100 * right / max(len(cases), 1):.1f} %"))
    table("Forwards: the first sender", ("", "right", ""), rows)


def bounce_tables() -> None:
    """Classes and hard verdicts on sisimai's bounces, addresses on flufl's."""
    from inbound import automail, bounces, mime

    class_of = {reason: name for name, reasons in REASONS.items() for reason in reasons.split()}
    right = total = 0
    verdicts = {"frontdesk": [0, 0, 0], "flufl.bounce": [0, 0, 0]}
    for name, raw, told in mailsets.sisimai():
        mail = mime.parse(raw)
        machine, bounce = automail.screen(mail), bounces.read(mail, raw)
        found = bounce.class_.value if bounce else "none"
        found = "refused" if found in {"blocked", "policy"} else found
        found = "complaint" if machine.kind is automail.Kind.COMPLAINT else found
        total += 1
        right += found == class_of[told["reason"]]
        if SHOW and found != class_of[told["reason"]]:
            print(f"    sisimai/{name}: {found}, wanted {told['reason']}")
        hard = bool(told["hardbounce"])
        answers = {"frontdesk": bool(bounce and bounce.hard)}
        if "flufl.bounce" in mailpeers.BOUNCE:
            answers["flufl.bounce"] = bool(guarded(mailpeers.flufl_hard, raw))
        for parser, answer in answers.items():
            verdicts[parser][0] += answer and hard
            verdicts[parser][1] += answer and not hard
            verdicts[parser][2] += hard and not answer
    rows = []
    for parser, (hit, wrong, missed) in verdicts.items():
        share = f"{100 * wrong / (hit + wrong):.1f} %" if hit + wrong else "-"
        coarse = f"{right}/{total} ({100 * right / max(total, 1):.1f} %)" if parser == "frontdesk" else "-"
        rows.append((parser, coarse, str(hit), str(wrong), share, str(missed)))
    table(f"Bounces: sisimai, {total} letters",
          ("", "class right", "hard right", "hard wrong", "its share", "hard missed"), rows)  # fmt: skip
    cases = list(mailsets.flufl())
    rows = []
    for parser, read in mailpeers.BOUNCE.items():
        good = [name for name, raw, wanted in cases if guarded(read, raw) == wanted]
        if SHOW and parser == "frontdesk":
            print("    flufl:", *(name for name, _, _ in cases if name not in good))
        sound = sum(name not in mailsets.UNSOUND_BOUNCES for name in good)
        asked = sum(name not in mailsets.UNSOUND_BOUNCES for name, _, _ in cases)
        rows.append((parser, f"{sound}/{asked}", f"{len(good)}/{len(cases)}"))
    table("Bounces: flufl.bounce's own, all addresses right", ("", "sound", "all"), rows)


def speed_table() -> None:
    """Letters a second of one core, on the ham: the whole of understanding, and reading alone."""
    from inbound import understanding

    letters = mailsets.ham()
    if not letters:
        return
    runs: dict[str, Callable[[bytes], object]] = {"frontdesk, all understood": understanding.understand}
    runs |= {f"{name}, read": read for name, read in mailpeers.MIME.items()}
    rows = []
    for name, read in runs.items():
        for raw in letters[:20]:
            guarded(read, raw)
        best = 1e9
        for _ in range(2):
            begin = time.process_time()
            for raw in letters:
                guarded(read, raw)
            best = min(best, time.process_time() - begin)
        rows.append((name, f"{len(letters) / best:.0f}", f"{1000 * best / len(letters):.2f}"))
    table(f"Speed: {len(letters)} letters of ham", ("", "letters/s", "ms"), rows)


def main() -> None:
    """All tables."""
    if not mailsets.DATA.exists():
        print(f"The public mail is not here ({mailsets.DATA.name}); only our own cases are run.")
    mime_table("stalwart", list(mailsets.stalwart()))
    mime_table("imap_tools (sound expectations)", list(mailsets.imap_tools_set()))
    mime_table("imap_tools (all of its own answers)", list(mailsets.imap_tools_set(sound=False)))
    reply_table(
        {
            "own ru": list(mailsets.own_replies("ru")),
            "own lt": list(mailsets.own_replies("lt")),
            "own en": list(mailsets.own_replies("en")),
            "crisp": list(mailsets.crisp_replies()),
            "talon html": list(mailsets.talon_replies()),
        }
    )
    forward_table(list(mailsets.forwards()))
    bounce_tables()
    speed_table()


if __name__ == "__main__":
    main()
