from __future__ import annotations

import numpy as np

from rnnapps.reports.render import render_page
from rnnapps.tasks.text_generation.repetition import measure_repetition
from rnnapps.tasks.text_generation.report import repetition_section, surprise_section
from tests.reports.page import Page


def test_repetition_of_texts_in_figures() -> None:
    measured = {"samples": measure_repetition(["the cat the cat", "sat"]), "nothing": measure_repetition([])}
    page = Page(render_page("Texts", "", [repetition_section(measured)]))
    rows = page.rows_under("Repetition")
    assert ["samples", "0.6000", "0.6667", "1.000", "7", "2", "18"] in rows
    assert ["samples", "the cat"] in rows


def test_the_least_expected_tokens_stand_first_and_are_seen() -> None:
    """A space or the end of a line that surprised is no empty cell; the first token has no figure."""
    section = surprise_section(["It", " was", "\n", " ", "best"], np.array([0.5, 3.0, 2.0, 1.0]))
    page = Page(render_page("Texts", "", [section]))
    rows = page.rows_under("What surprised the model")
    assert rows[1:] == [
        ["↵", "3.000", "It was"],
        ["␣", "2.000", "It was↵"],
        ["best", "1.000", "It was↵ "],
        ["␣was", "0.5000", "It"],
    ]
    assert page.texts("pre") == ["It was\n best"]
