from __future__ import annotations

from rnnapps.reports.render import render_page
from rnnapps.tasks.text_generation.repetition import measure_repetition
from rnnapps.tasks.text_generation.report import repetition_section
from tests.reports.page import Page


def test_repetition_of_texts_in_figures() -> None:
    measured = {"samples": measure_repetition(["the cat the cat", "sat"]), "nothing": measure_repetition([])}
    page = Page(render_page("Texts", "", [repetition_section(measured)]))
    rows = page.rows_under("Repetition")
    assert ["samples", "0.6000", "0.6667", "1.000", "7", "2", "18"] in rows
    assert ["samples", "the cat"] in rows
