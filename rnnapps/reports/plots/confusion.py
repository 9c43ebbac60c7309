"""What a model takes for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.types import Array

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle

__all__ = ["plot_confusion"]


def plot_confusion(matrix: Array, labels: Sequence[str], *, title: str = "") -> Plot:
    """A confusion matrix: one row a true class, one column an answer, shaded by the share of the row.

    Args:
        matrix: counts `(classes, classes)`.
        labels: names of the classes.
        title: title above the plot.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        places = range(len(labels))
        for row, column in zip(*np.nonzero(matrix), strict=True):
            share = float(shares[row, column])
            box = (column - 0.5, row - 0.5), 1, 1
            colour = theme.colours[0 if row == column else 1]
            axes.add_patch(_rectangle(box, colour, 0.15 + 0.75 * share))
            axes.text(column, row, str(matrix[row, column]), ha="center", va="center", fontsize=8, color=theme.text)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xticks(places, labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=8.5)
        axes.set_yticks(places, labels, fontsize=8.5)
        axes.tick_params(colors=theme.text, length=0)
        axes.set_xlabel("answer", color=theme.text)
        axes.set_ylabel("true class", color=theme.text)
        axes.set_facecolor("none")
        for spine in axes.spines.values():
            spine.set_color(theme.grid)

    side = 3.0 + 0.3 * len(labels)
    wrong = int(matrix.sum() - np.trace(matrix))
    return Plot(
        draw, alt=f"{title}: {wrong} of {int(matrix.sum())} are off the diagonal.", width=side + 0.8, height=side
    )


def _rectangle(box: tuple[tuple[float, float], float, float], colour: str, opacity: float) -> Rectangle:
    """One cell of the table, the more opaque the more answers fell into it."""
    from matplotlib.patches import Rectangle

    return Rectangle(*box, facecolor=colour, alpha=opacity, linewidth=0)
