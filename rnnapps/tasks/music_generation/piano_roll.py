"""Pieces as piano rolls."""

from __future__ import annotations

from matplotlib.figure import FigureBase

from rnnapps.reports.plots.curves import style_axes
from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.tasks.music_generation.data.piece import Piece

__all__ = ["plot_piano_roll"]


def plot_piano_roll(piece: Piece, *, steps_per_beat: int, primer_steps: int = 0, title: str = "") -> Plot:
    """Notes as bars over time, one row a pitch.

    Args:
        piece: the piece.
        steps_per_beat: grid steps in a quarter note.
        primer_steps: steps at the beginning that were given; they get a colour of their own.
        title: title above the plot.
    """
    length = max(piece.steps, 1)
    pitches = piece.notes[:, 2]
    low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (60, 72)

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, "beat", "pitch (C4 = middle C)")
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        gap = 0.08 / steps_per_beat
        for given in (True, False):
            rows = piece.notes[(piece.notes[:, 0] < primer_steps) == given]
            left, width = rows[:, 0] / steps_per_beat, (rows[:, 1] - rows[:, 0]) / steps_per_beat - gap
            colour = theme.colours[1 if given else 0]
            axes.barh(rows[:, 2], width, left=left, height=0.8, color=colour, linewidth=0)
        if primer_steps:
            axes.axvline(primer_steps / steps_per_beat, color=theme.text, linewidth=0.8, linestyle=(0, (4, 3)))
        octaves = range(low - low % 12, high + 12, 12)
        axes.set_yticks(list(octaves), [f"C{pitch // 12 - 1}" for pitch in octaves])
        axes.set_ylim(low - 1.5, high + 1.5)
        axes.set_xlim(0, length / steps_per_beat)
        bars = max(1, round(length / steps_per_beat / piece.beats_per_bar))
        stride = piece.beats_per_bar * -(-bars // 16)
        axes.set_xticks([stride * number for number in range(int(length / steps_per_beat / stride) + 1)])

    given = f" The first {primer_steps / steps_per_beat:g} were given." if primer_steps else ""
    alt = (
        f"{title}: piano roll of {len(piece.notes)} notes between pitch {low} and {high} over "
        f"{length / steps_per_beat:g} beats.{given}"
    )
    return Plot(draw, alt=alt, caption=title, width=10.4, height=3.2)
