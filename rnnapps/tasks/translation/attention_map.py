"""Attention of a decoder as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.types import Array

__all__ = ["plot_attention"]

PLACE_INCHES = 0.3
LONGEST_LABEL = 16


def plot_attention(weights: Array, source: Sequence[str], target: Sequence[str], *, title: str = "") -> Plot:
    """Weights as shades, a row for each token that was written and a column for each that was read.

    Args:
        weights: `(target, source)`, from 0 to 1.
        source: what each column stands for.
        target: what each row stands for.
        title: title above the plot.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        shade = np.array([int(theme.colours[0][start : start + 2], 16) / 255 for start in (1, 3, 5)])
        pixels = np.concatenate([np.broadcast_to(shade, (*weights.shape, 3)), weights[..., None]], axis=-1)
        axes.imshow(pixels.clip(0, 1), aspect="auto", interpolation="nearest")
        axes.set_xticks(range(len(source)), [_label(text) for text in source], rotation=60, ha="right", fontsize=8.5)
        axes.set_yticks(range(len(target)), [_label(text) for text in target], fontsize=8.5)
        axes.tick_params(colors=theme.text, length=0)
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        for spine in axes.spines.values():
            spine.set_color(theme.grid)

    strongest = ", ".join(
        f"{_label(word)}: {_label(source[int(row.argmax())])}" for word, row in zip(target, weights, strict=True)
    )
    return Plot(
        draw,
        alt=f"{title}: attention of {len(target)} written to {len(source)} read tokens. Strongest: {strongest}.",
        caption=title,
        width=min(10.4, 2.0 + PLACE_INCHES * len(source)),
        height=min(9.0, 1.6 + 0.75 * PLACE_INCHES * len(target)),
    )


def _label(text: str) -> str:
    """A token without signs that would be read as markup of a picture, and short."""
    short = text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"
    return short.replace("$", r"\$")
