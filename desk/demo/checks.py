"""Whether the scene went as it must: pure, from what was observed to the list of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from desk.demo.observed import OUT, Counts, Outgoing, Seen

UNDERSTOOD_SHARE = 0.6
"""At least so many of the letters that people wrote are given a topic.

On the rest the classifier may keep silent; one letter it is wrong about fails the scene.
"""


def of_letters(seen: Sequence[Seen]) -> list[str]:
    """What is wrong with how the letters were understood and treated."""
    wrong = [fault for one in seen for fault in _of_letter(one)]
    spoken = [one for one in seen if one.letter.treatment in {"acknowledged", "filed"} and one.times]
    named = sum(one.intent is not None for one in spoken)
    if spoken and named < UNDERSTOOD_SHARE * len(spoken):
        wrong.append(f"only {named} of {len(spoken)} letters were given a topic")
    return wrong


def _of_letter(one: Seen) -> Iterable[str]:
    file, expected = one.letter.file, one.letter
    if expected.treatment == "quarantined":
        if one.state != "quarantined":
            yield f"{file}: it cannot be read, and it is {one.state or 'lost'}"
        return
    if expected.treatment == "machine":
        if one.times or one.state != "ignored" or not one.reason:
            yield f"{file}: a machine wrote it, and it is {one.state or 'lost'} ({one.reason or 'no reason'})"
        return
    if one.times != 1:
        yield f"{file}: it stands in {one.times} conversations instead of one"
        return
    if expected.language is not None and one.language != expected.language:
        yield f"{file}: its language was taken for {one.language} instead of {expected.language}"
    if one.machine is not None:
        yield f"{file}: it was taken for a machine's ({one.machine})"
    if one.intent is not None and one.intent != expected.intent:
        yield f"{file}: its topic was taken for {one.intent} instead of {expected.intent}"
    wanted = 1 if expected.treatment == "acknowledged" and one.intent is not None else 0
    if len(one.answers) != wanted:
        yield f"{file}: {len(one.answers)} acknowledgements instead of {wanted}"
    if not one.assignee:
        yield f"{file}: it came to nobody"


def of_deliveries(outgoing: Sequence[Outgoing], strangers: Sequence[str]) -> list[str]:
    """What is wrong with what went out."""
    wrong = []
    for one in outgoing:
        wanted = 1 if one.state in OUT else 0
        if one.taken != wanted:
            wrong.append(f"{one.key} to {one.address} is {one.state}, and the relay has it {one.taken} times")
        if one.state not in OUT:
            wrong.append(f"{one.key} to {one.address} is {one.state}")
    if strangers:
        wrong.append(f"the relay has {len(strangers)} letters from us that are on no record")
    return wrong


def of_counts(counts: Counts, *, distinct: int, quarantined: int) -> list[str]:
    """What is wrong with the numbers; `distinct` letters were filed, of which so many cannot be read."""
    wrong = []
    if counts.origins != counts.appended:
        wrong.append(f"{counts.appended} letters lay in the mailboxes, {counts.origins} are on record")
    if counts.raw != distinct:
        wrong.append(f"{distinct} different letters came, {counts.raw} are kept")
    if counts.by_state["stored"]:
        wrong.append(f"{counts.by_state['stored']} letters still wait to be understood")
    if counts.by_state["quarantined"] != quarantined:
        wrong.append(f"{counts.by_state['quarantined']} letters are in quarantine instead of {quarantined}")
    if counts.filed != counts.by_state["understood"]:
        wrong.append(f"{counts.by_state['understood']} letters were understood, {counts.filed} are filed")
    return wrong


def of_ledger(code: int) -> list[str]:
    """What `frontdesk ledger` says of the books by its exit code."""
    return [f"`frontdesk ledger` ends with {code}: something is unaccounted for"] if code else []
