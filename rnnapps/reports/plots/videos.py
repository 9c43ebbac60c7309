"""Clips as rows of pictures, and what a classifier takes for what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme

__all__ = ["plot_confusion", "plot_contact_sheet"]

Array = np.ndarray[Any, Any]


def plot_contact_sheet(clips: Sequence[Array], titles: Sequence[str], *, columns: int = 8) -> Plot:
    """A row of frames for each clip, evenly spaced over it.

    Args:
        clips: uint8 `(frames, height, width, 1 or 3)` of each.
        titles: what to write above each row.
        columns: frames of a row.
    """
    strips = [np.concatenate(list(_spread(clip, columns)), axis=1) for clip in clips]

    def draw(figure: FigureBase, theme: Theme) -> None:
        for axes, strip, title in zip(np.atleast_1d(figure.subplots(len(strips))), strips, titles, strict=True):
            axes.imshow(np.broadcast_to(strip, (*strip.shape[:2], 3)), interpolation="nearest", aspect="equal")
            axes.set_title(title, fontsize=10, color=theme.text, loc="left")
            axes.set_axis_off()

    alt = f"{columns} frames of each of {len(strips)} clips. " + ". ".join(titles) + "."
    return Plot(draw, alt=alt, width=10.4, height=1.55 * len(strips))


def _spread(clip: Array, count: int) -> Array:
    rows: Array = clip[np.rint(np.linspace(0, len(clip) - 1, count)).astype(int)]
    return rows


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


def _rectangle(box: tuple[tuple[float, float], float, float], colour: str, opacity: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(*box, facecolor=colour, alpha=opacity, linewidth=0)
