"""The files that pages load: what they are, that nobody changed them, and how much they weigh."""

from __future__ import annotations

import gzip
import hashlib

import pytest

from desk import assets
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World

LIGHTEST = 300_000
"""Bytes that a whole first visit may weigh, compressed."""


def test_vendored_files_are_as_they_were_taken() -> None:
    folder = assets.FOLDER / "vendor"
    sums = dict(
        reversed(line.split("  ")) for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    )
    found = {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert set(sums) == found
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_each_vendored_file_has_its_licence_beside_it() -> None:
    names = {path.name for path in (assets.FOLDER / "vendor").iterdir()}
    for name in names:
        if name.endswith((".css", ".js")):
            assert f"{name.split('-')[0]}.LICENSE.txt" in names


@pytest.mark.parametrize("name", sorted(assets.FILES))
def test_a_file_is_kept_for_ever_under_a_name_of_its_content(visitor: Browser, name: str) -> None:
    address = assets.url(name)
    assert hashlib.sha256(assets.assets()[name].plain).hexdigest()[:10] in address
    answer = visitor.get(address, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.content == assets.assets()[name].plain
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]


def test_a_file_under_another_name_is_not_found(visitor: Browser) -> None:
    for name in ("desk.css", "desk.0000000000.css", "..%2f..%2fapp.py", "vendor"):
        assert visitor.get(f"/static/{name}").status_code == 404


def test_a_first_visit_weighs_less_than_three_hundred_kilobytes(signed_in: SignedIn, world: World) -> None:
    page = signed_in("agent").get(f"/conversations/{world.talks['own'].id}").content
    files = sum(len(asset.packed) for asset in assets.assets().values())
    assert files + len(gzip.compress(page)) < LIGHTEST


def test_an_icon_is_decoration_unless_it_is_named() -> None:
    assert 'aria-hidden="true"' in assets.icon("inbox")
    assert 'aria-label="&lt;b&gt;"' in assets.icon("inbox", "<b>")
