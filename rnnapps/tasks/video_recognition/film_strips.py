"""Clips as rows of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import FigureBase

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme
from rnnapps.types import Array

__all__ = ["plot_contact_sheet"]


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
    """So many frames, from the first to the last, evenly spaced."""
    rows: Array = clip[np.rint(np.linspace(0, len(clip) - 1, count)).astype(int)]
    return rows
