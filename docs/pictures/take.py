"""Take the pictures anew from a running `frontdesk demo`: python docs/pictures/take.py [ADDRESS]"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from desk.demo import people

FOLDER = Path(__file__).parent
SIZE = (1360, 860)


def take(address: str) -> None:
    """Sign in as a colleague, and take the inbox and one conversation."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
        page.goto(f"{address}/login")
        page.fill("input[name=email]", f"emma@{people.domain()}")
        page.fill("input[type=password]", people.company()["sign_in"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/inbox*")
        _shoot(page, "inbox")
        link = page.locator("a[href*='/conversations/']", has_text="RFQ: 6 x Aura").first
        page.goto(address + str(link.get_attribute("href")))
        _shoot(page, "conversation")
        browser.close()


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(1_000)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    take(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080")
