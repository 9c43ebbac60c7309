"""Tables that grow while a real browser looks at them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.playground.browser.conftest import Open
from tests.playground.browser.pages import says

pytestmark = pytest.mark.browser

GROWING = """async (rows) => {
    const folder = await navigator.storage.getDirectory();
    const file = await folder.getFileHandle("grown.csv", { create: true });
    await (await file.createWritable()).close();
    window.grow = async (text) => {
        const writer = await file.createWritable({ keepExistingData: true });
        await writer.seek((await file.getFile()).size);
        await writer.write(text);
        await writer.close();
    };
    window.showOpenFilePicker = async () => [file];
    await window.grow(rows);
}"""
"""Makes a file of the browser's own, and a dialogue that chooses it: nobody could press that of the system."""


def example(page: Any, name: str) -> list[str]:
    """The lines of an example of the tab that is shown."""
    pipeline = page.url.split("#")[1]
    content = page.request.get(f"{page.url.split('/ui/')[0]}/ui/tabs/{pipeline}/{name}").text()
    return list(content.splitlines(keepends=True))


def judged_at_once(page: Any) -> str:
    """What the page says of the example as a whole."""
    page.get_by_role("button", name="A machine").click()
    says(page, "^360 rows")
    return str(page.locator(".status:visible").first.inner_text())


def follow(page: Any, rows: str) -> None:
    """Follows a new file that begins with some rows."""
    page.evaluate(GROWING, rows)
    page.get_by_text("A table that grows").click()
    page.get_by_role("button", name="Follow a growing file").click()


def test_a_file_is_judged_as_it_grows(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines, whole = example(page, "machine.csv"), judged_at_once(page)
    follow(page, "".join(lines[:200]) + lines[200][:9])
    says(page, r"^199 rows, .* Following grown\.csv")
    page.evaluate("(text) => window.grow(text)", lines[200][9:] + "".join(lines[201:]))
    says(page, re.escape(whole))
    page.get_by_role("button", name="Stop following").click()
    says(page, r"^Stopped following grown\.csv")


def test_rows_are_added_by_hand_where_the_browser_follows_no_file(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines, whole = example(page, "machine.csv"), judged_at_once(page)
    page.get_by_label("Rows of sensors").fill("".join(lines[:300]))
    page.get_by_role("button", name="Judge the rows").click()
    says(page, "^299 rows")
    page.get_by_text("A table that grows").click()
    for rows in (lines[300:301], [lines[0], *lines[301:]]):
        page.get_by_label("Rows that follow").fill("".join(rows))
        page.get_by_role("button", name="Add the rows").click()
        says(page, f"^{300 if len(rows) == 1 else 360} rows")
    assert page.locator(".status:visible").first.inner_text() == whole


def test_a_file_that_became_shorter_is_told(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    lines = example(page, "machine.csv")
    follow(page, "".join(lines[:50]))
    says(page, "^49 rows")
    page.evaluate(GROWING, "".join(lines[:5]))
    says(page, r"^grown\.csv has become shorter than it was: follow it anew\.")


def test_a_forecast_follows_a_file(open_page: Open) -> None:
    page = open_page("forecasting")
    lines = example(page, "sunspots.csv")
    follow(page, "".join(lines[:31]))
    says(page, "^30 rows so far, of 48")
    page.evaluate("(text) => window.grow(text)", "".join(lines[31:101]))
    says(page, "^Forecast of 12 rows from 100 rows of the past")
