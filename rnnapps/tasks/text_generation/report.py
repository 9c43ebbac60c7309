"""Sections for models that write text."""

from __future__ import annotations

from collections.abc import Mapping

from rnnapps.contract.sections import Details, Paragraph, Section, Table, Value
from rnnapps.tasks.text_generation.repetition import Repetition

__all__ = ["repetition_section"]


def repetition_section(measured: Mapping[str, Repetition]) -> Section:
    """Distinct n-grams and the longest repeat, one row a set of texts.

    Args:
        measured: name of the texts -> its figures; real text of similar length beside the model's gives them a scale.
    """
    orders = sorted({order for repetition in measured.values() for order in repetition.distinct})
    columns = ("Texts", *(f"distinct-{order}" for order in orders), "longest repeat, characters", "texts", "characters")
    rows: list[tuple[Value, ...]] = [
        (
            name,
            *(repetition.distinct.get(order) for order in orders),
            len(repetition.longest_repeat),
            repetition.texts,
            repetition.characters,
        )
        for name, repetition in measured.items()
    ]
    note = (
        "distinct-n is the share of different word n-grams among all of them: 1 means that nothing was said twice. "
        "The longest repeat is the longest string that occurs twice within one text; a model caught in a loop has a "
        "long one."
    )
    repeats = [(name, repetition.longest_repeat) for name, repetition in measured.items()]
    return Section(
        "Repetition",
        [Table(columns, rows), Paragraph(note), Details("The longest repeats", [Table(("Texts", "Repeat"), repeats)])],
    )
