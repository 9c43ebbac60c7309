"""Spectra over time, with the words that were recognised in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.curves import style_axes
from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.types import Array

__all__ = ["plot_spectrogram"]


def plot_spectrogram(
    spectra: Array, words: Sequence[tuple[str, float, float]], *, frame_seconds: float, title: str = ""
) -> Plot:
    """A spectrogram, and each word above the time at which it was recognised.

    Args:
        spectra: log power `(frames, bands)`.
        words: (word, its beginning and end in seconds).
        frame_seconds: time between two frames.
        title: title above the plot.
    """
    seconds = max(len(spectra) * frame_seconds, frame_seconds)
    bands = spectra.shape[1]

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, "seconds", "mel band")
        axes.grid(False)
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        low, high = np.quantile(spectra, (0.05, 0.995)) if spectra.size else (0.0, 1.0)
        extent = (0.0, seconds, 0.0, float(bands))
        axes.imshow(spectra.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="magma")
        for word, start, end in words:
            axes.plot([start, end], [bands * 1.05] * 2, color=theme.colours[0], linewidth=4, solid_capstyle="butt")
            axes.text(
                (start + end) / 2,
                bands * 1.12,
                word,
                ha="center",
                va="bottom",
                rotation=25,
                fontsize=9.5,
                color=theme.text,
            )
        axes.set_xlim(0, seconds)
        axes.set_ylim(0, bands * 1.5)
        axes.set_yticks([0, bands // 2, bands])

    times = "; ".join(f"{word} from {start:.2f} to {end:.2f} s" for word, start, end in words) or "no word"
    return Plot(draw, alt=f"{title}: spectrogram of {seconds:.2f} s with {times}.", width=10.4, height=3.0)
