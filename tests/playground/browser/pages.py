"""What tests do with a page."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["new_page", "number", "says"]


def new_page(browser: Any, told: list[str], own: str, **options: Any) -> Any:
    """A page in a context of its own.

    Args:
        browser: Playwright's.
        told: gets what the console says, and each address that is asked for and does not begin with `own`.
        own: where the page comes from.
        **options: of the context.
    """
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(30_000)
    page.on("console", lambda message: told.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: told.append(f"error: {error}"))
    page.on("request", lambda asked: None if asked.url.startswith((own, "blob:", "data:")) else told.append(asked.url))
    return page


def says(page: Any, text: str, *, seconds: float = 30) -> None:
    """Waits until the status line of the tab that is shown fits a pattern, and fails if it never does."""
    from playwright.sync_api import expect

    expect(page.locator(".status:visible").first).to_contain_text(re.compile(text), timeout=1_000 * seconds)


def number(page: Any, label: str, value: str) -> None:
    """Fills in a setting."""
    page.get_by_label(label, exact=True).fill(value)
