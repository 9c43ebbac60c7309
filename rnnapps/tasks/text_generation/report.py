"""Sections for models that write text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnnapps.contract.sections import Details, Paragraph, Section, ShadedText, Table, Value
from rnnapps.tasks.text_generation.blend.evidence import Evidence, NetworkScores
from rnnapps.tasks.text_generation.repetition import Repetition
from rnnapps.types import Array

__all__ = ["blend_section", "repetition_section", "surprise_section"]

MOST_SURPRISING = 12
SPACE, LINE_END = "\N{OPEN BOX}", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
BEFORE = 30
"""Characters of the text before a token that are shown with it."""


def blend_section(evidence: Evidence, network: NetworkScores, kernel: Array, *, token: str = "character") -> Section:
    """How much of each token's probability the contexts of each length decide, and how much the network.

    Args:
        evidence: what n-grams say of a held-out text.
        network: what the network says of it.
        kernel: the weights of the gate.
        token: what a token is called.
    """
    believed, known = evidence.believed(network, kernel), evidence.kept > 0
    left = np.cumprod(1 - (believed * evidence.kept)[::-1], axis=0)[::-1]  # what a context and longer ones leave
    decided = np.concatenate([left[1:], np.ones_like(left[:1])]) - left
    rows: list[tuple[Value, ...]] = [("none: the network", None, None, float(left[0].mean()))]
    for context, (belief, there, share) in enumerate(zip(believed, known, decided, strict=True), start=1):
        mean = float(belief[there].mean()) if there.any() else None
        rows.append((str(context), float(there.mean()), mean, float(share.mean())))
    columns = (f"{token}s before", "known, share of places", "believed where known", "decides, share")
    note = (
        "Each context that the n-grams know takes its share from all that is shorter, the network too; how much it "
        "is believed depends on how often and how variously it was followed, and on how uncertain the network is."
    )
    return Section("Blend of network and n-grams", [Table(columns, rows), Paragraph(note)])


def surprise_section(texts: Sequence[str], losses: Array) -> Section:
    """How little each token of a held-out text was expected.

    Args:
        texts: the tokens as they are written, of which the first is not scored.
        losses: nats of all others `(tokens - 1,)`.
    """
    values = [0.0, *losses.tolist()]
    most = max(float(np.quantile(losses, 0.99)), 1e-6)
    caption = f"The darker, the less expected; darkest from {most:.1f} nats on. Point at a token for its nats."
    ranked = sorted(range(1, len(texts)), key=lambda place: -values[place])[:MOST_SURPRISING]
    rows = [
        (_visible(texts[place]).replace(" ", SPACE), values[place], _visible("".join(texts[:place])[-BEFORE:]))
        for place in ranked
    ]
    table = Table(("token", "nats", "behind"), rows)
    blocks = [ShadedText(list(zip(texts, values, strict=True)), most, "nats", caption)]
    return Section("What surprised the model", [*blocks, Details("The least expected tokens", [table])])


def _visible(text: str) -> str:
    """A text in which the ends of lines are seen."""
    return text.replace("\n", LINE_END)


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
