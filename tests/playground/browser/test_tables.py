"""Tables that are judged and forecast, in a real browser."""

from __future__ import annotations

import pytest

from tests.playground.browser.conftest import Open
from tests.playground.browser.pages import says

pytestmark = pytest.mark.browser


def test_a_table_is_judged(open_page: Open) -> None:
    page = open_page("anomaly_detection")
    page.get_by_role("button", name="A machine").click()
    says(page, r"^360 rows, \d+ of them flagged, in \d+ events?\.$")
    assert page.get_by_role("img", name="Anomaly score").locator("path").count() == 2
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the judgement").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 361 and lines[0].startswith("row,score,threshold,flag,silent,share of load")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("load,speed\n1,2\n", "^Columns current, temperature, .* are missing; found load, speed"),
        ("a;b\n", "are missing"),
        ("", "^There are no rows"),
        ("1,2,3\n", "^The first line names no columns, and has 3 numbers where 8 are expected"),
    ],
)
def test_a_table_that_does_not_fit_is_told(open_page: Open, text: str, told: str) -> None:
    page = open_page("anomaly_detection")
    page.get_by_label("Rows of sensors").fill(text)
    page.get_by_role("button", name="Judge the rows").click()
    says(page, told)


def test_a_table_is_forecast(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_role("button", name="Sunspots").click()
    says(page, "^Forecast of 12 rows from 150 rows of the past")
    plot = page.get_by_role("img", name="value")
    assert plot.locator("path").count() == 2 and plot.locator("polygon").count() == 2
    page.get_by_text("Numbers", exact=True).click()
    assert page.get_by_role("row").count() == 13


def test_too_short_a_past_is_refused_by_the_model(open_page: Open) -> None:
    page = open_page("forecasting")
    page.get_by_label("Rows of the past").fill("value\n1\n2\n")
    page.get_by_role("button", name="Forecast", exact=True).click()
    says(page, "^lengths must be from 48 to 100,000")
