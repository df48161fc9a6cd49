"""What servers answer to a recipient is read by the same words as the reports that come back later."""

from __future__ import annotations

import pytest

from core.bouncecauses import of_refusal
from core.bouncewords import BounceClass


@pytest.mark.parametrize(
    ("noted", "class_"),
    [
        ("RCPT: 550 No such user here", BounceClass.INVALID),
        ("RCPT: 552 5.2.2 Mailbox is full", BounceClass.FULL),
        ("RCPT: 550 5.2.1 The account is disabled", BounceClass.OTHER),
        ("RCPT: 550 Ящик переполнен", BounceClass.FULL),
        ("RCPT: 554 5.7.1 Client host blocked using zen.spamhaus.org", BounceClass.BLOCKED),
        ("RCPT: 554 5.7.1 Relay access denied", BounceClass.BLOCKED),
        (".: 552 5.2.2 Over quota", BounceClass.FULL),
        (".: 550 5.1.1 No such user", BounceClass.INVALID),
        (".: 550 No such user", None),
        (".: 554 Transaction refused", None),
        ("MAIL: 553 5.1.8 Sender unknown", None),
        ("RCPT: 452 4.2.2 Mailbox full", None),
        ("its worker was lost while it was transmitted", None),
    ],
)
def test_a_refusal_is_understood_at_its_step(noted: str, class_: BounceClass | None):
    assert of_refusal(noted) == class_
