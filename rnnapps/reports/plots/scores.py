"""Scores of several things on several trials, as a map."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import FigureBase
from matplotlib.patches import Rectangle

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme

__all__ = ["plot_scores"]


def plot_scores(
    scores: Sequence[Sequence[float]], marks: Sequence[Sequence[str]], rows: Sequence[str], columns: Sequence[str]
) -> Plot:
    """A map: the better the score, the stronger the colour; score and mark stand in each field.

    Args:
        scores: 0 to 1, a list for each row.
        marks: a word for each score.
        rows: names of the rows.
        columns: names of the columns.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        for row, values in enumerate(scores):
            for column, score in enumerate(values):
                box = (column - 0.47, row - 0.45), 0.94, 0.9
                axes.add_patch(Rectangle(*box, facecolor=theme.colours[0], alpha=0.04 + 0.76 * score, linewidth=0))
                words = f"{score:.2f}\n{marks[row][column]}"
                axes.text(column, row, words, ha="center", va="center", fontsize=8, color=theme.text)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right", rotation_mode="anchor", fontsize=8.5)
        axes.set_yticks(range(len(rows)), rows, fontsize=8.5)
        axes.tick_params(colors=theme.text, length=0)
        axes.set_facecolor("none")
        for spine in axes.spines.values():
            spine.set_visible(False)

    best = [f"{row} {max(values, default=0):.2f} at best" for row, values in zip(rows, scores, strict=True)]
    alt = f"A map of scores on {', '.join(columns)}: {'; '.join(best)}."
    return Plot(draw, alt=alt, width=max(5.5, 2.2 + 0.55 * len(columns)), height=1.5 + 0.5 * len(rows))
