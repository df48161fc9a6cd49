"""Take the pictures of the screens anew: `make screens`, or python docs/screens/take.py [ADDRESS].

Without an address a demonstration is started in a folder of its own and ended afterwards; with one, that of a
running `frontdesk demo` is used.
"""

from __future__ import annotations

import io
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from desk.demo import people

FOLDER = Path(__file__).parent
WIDE, PHONE = (1360, 860), (390, 844)
PATIENCE = 300.0
"""Seconds in which a demonstration opens its desk."""

SHOTS: tuple[tuple[str, str, str, str, tuple[int, int]], ...] = (
    ("inbox", "emma", "/inbox", "light", WIDE),
    ("conversation", "emma", "RFQ: 6 x Aura", "light", WIDE),
    ("client", "emma", "/clients >> main a[href^='/clients/']:has-text('Oakfield')", "light", WIDE),
    ("plan", "emma", "/plan", "light", WIDE),
    ("board", "vytautas", "/deals", "light", WIDE),
    ("templates", "vytautas", "/templates >> main a[href^='/templates/email/']", "light", WIDE),
    ("segment", "vytautas", "/segments >> main a[href^='/segments/']:has-text('nepirko')", "dark", WIDE),
    ("inbox-phone", "emma", "/inbox", "dark", PHONE),
)
"""Name, whose screen, address, with the link to follow there, or the subject of a conversation, colour scheme
and size."""
COLOURS = 256
"""Of a picture: text and chips need no more, and it is a third as large."""


def take(address: str) -> None:
    """Take every picture of the desk at an address."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, who, where, scheme, size in SHOTS:
            page = _signed_in(browser, address, who, scheme, size)
            page.goto(address + _place(page, address, where))
            page.wait_for_load_state("load")
            page.wait_for_timeout(3_000)
            _keep(page.screenshot(), FOLDER / f"{name}.png")
            page.context.close()
        browser.close()


def _place(page: Page, address: str, where: str) -> str:
    if where.startswith("/"):
        room, _, link = where.partition(" >> ")
        if not link:
            return room
        page.goto(address + room)
        return str(page.locator(link).first.get_attribute("href"))
    page.goto(f"{address}/inbox")
    return str(page.locator("a[href*='/conversations/']", has_text=where).first.get_attribute("href"))


def _keep(picture: bytes, file: Path) -> None:
    with Image.open(io.BytesIO(picture)) as whole:
        few = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


def _signed_in(browser: Browser, address: str, who: str, scheme: str, size: tuple[int, int]) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("input[name=email]", f"{who}@{people.domain()}")
    page.fill("input[type=password]", people.company()["sign_in"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox*", timeout=60_000)
    return page


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_demonstration() -> None:
    """Start a demonstration, take the pictures, end it."""
    with tempfile.TemporaryDirectory(prefix="fds") as scratch:
        log = Path(scratch, "log")
        command = [sys.executable, "-m", "desk.cli", "demo", "--port", str(_free_port())]
        with log.open("wb") as out:
            demo = subprocess.Popen([*command, "--folder", f"{scratch}/f"], stdout=out, stderr=out)  # noqa: S603 - our own program
        try:
            deadline = time.monotonic() + PATIENCE
            while not (found := re.search(r"The desk is open: (\S+)", log.read_text(errors="replace"))):
                if demo.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(log.read_text(errors="replace"))
                time.sleep(1)
            time.sleep(5)
            take(found[1])
        finally:
            demo.terminate()
            demo.wait(60)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        take(sys.argv[1])
    else:
        with_demonstration()
