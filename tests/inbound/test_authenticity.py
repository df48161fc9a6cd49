"""Senders who are not who they seem."""

from __future__ import annotations

import pytest

from inbound import authenticity, lookalikes, mime
from inbound.authenticity import Warning_


def letter(head: str) -> mime.ParsedMail:
    return mime.parse(f"{head}\n\nHello".encode())


def warnings_of(head: str, **known: object) -> set[Warning_]:
    return {found.warning for found in authenticity.findings(letter(head), **known)}  # pyright: ignore[reportArgumentType]


def test_another_address_in_the_display_name_is_flagged() -> None:
    found = warnings_of('From: "ceo@corp.example" <evil@x.example>')
    assert found == {Warning_.NAME_HOLDS_OTHER_ADDRESS}
    assert not warnings_of('From: "a@b.example" <a@b.example>')


def test_an_answer_that_would_go_to_another_domain_is_flagged() -> None:
    assert warnings_of("From: a@b.example\nReply-To: c@d.test") == {Warning_.REPLY_GOES_ELSEWHERE}
    assert not warnings_of("From: a@mail.b.example\nReply-To: c@b.example")


@pytest.mark.parametrize(
    "domain",
    ["paypaI.com", "rnicrosoft.com", "lіetuva.lt", "аpple.com", "microsft.com", "paypal-support.com"],
)
def test_a_domain_that_imitates_a_known_one_is_told(domain: str) -> None:
    known = ["paypal.com", "microsoft.com", "lietuva.lt", "apple.com"]
    assert lookalikes.imitated(domain, known) is not None


@pytest.mark.parametrize(
    "domain",
    ["microsoft.com", "mail.apple.com", "компания.рф", "xn--80aswg.xn--p1ai", "baltas.lt", "apple.com"],
)
def test_an_honest_domain_is_not_told(domain: str) -> None:
    assert lookalikes.imitated(domain, ["microsoft.com", "apple.com", "juodas.lt"]) is None
    assert not lookalikes.mixed_alphabets(domain)


def test_letters_of_two_alphabets_in_one_name_are_told_also_in_punycode() -> None:
    assert lookalikes.mixed_alphabets("аpple.com")
    assert lookalikes.mixed_alphabets("xn--pple-43d.com")


def test_a_stranger_with_a_colleagues_name_is_flagged() -> None:
    found = warnings_of(
        "From: Ona Kazlauskienė <x@y.example>",
        staff_names=["Ona Kazlauskienė"],
        known_domains=["siaure.example"],
    )
    assert Warning_.NAMED_LIKE_STAFF in found


def test_two_senders_are_flagged() -> None:
    assert Warning_.SEVERAL_SENDERS in warnings_of("From: a@b.example\nFrom: c@b.example")


def test_only_our_own_servers_results_are_trusted() -> None:
    mail = letter(
        "Authentication-Results: mx.own.example; spf=pass smtp.mailfrom=b.example; dkim=pass "
        "header.d=b.example; dmarc=pass header.from=b.example\n"
        "Authentication-Results: mx.evil.example; dmarc=pass header.from=bank.example\nFrom: a@b.example"
    )
    found = authenticity.checks(mail, ["mx.own.example"])
    assert (found.spf, found.dkim, found.dmarc, found.by) == ("pass", "pass", "pass", "mx.own.example")
    assert "is from" in found.words
    assert authenticity.checks(mail, ["mx.other.example"]).by == ""
    assert "Nobody has checked" in authenticity.checks(mail, []).words


def test_the_topmost_field_of_our_server_counts() -> None:
    mail = letter(
        "Authentication-Results: mx.own.example; dmarc=fail header.from=b.example\n"
        "Authentication-Results: mx.own.example; dmarc=pass header.from=b.example\nFrom: a@b.example"
    )
    found = authenticity.checks(mail, ["MX.own.example"])
    assert found.dmarc == "fail"
    warned = authenticity.findings(mail, result=found)
    assert warned[0].warning is Warning_.CHECKS_FAILED


def test_a_dkim_signature_is_checked_with_the_callers_own_lookup() -> None:
    import dkim
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    import base64

    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    raw = b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nHello\r\n"
    signed = dkim.sign(raw, b"s1", b"b.example", private) + raw
    good = authenticity.check_dkim(signed, lambda name, timeout: record)
    assert (good.dkim, good.domain, good.by) == ("pass", "b.example", "ourselves")
    changed = authenticity.check_dkim(signed.replace(b"Hello", b"Hallo"), lambda name, timeout: record)
    assert changed.dkim in {"fail", "permerror"}
    assert authenticity.check_dkim(signed, lambda name, timeout: None).dkim != "pass"
    assert authenticity.check_dkim(raw, lambda name, timeout: None).dkim == "none"
