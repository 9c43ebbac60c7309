"""Pictures of a run, for reports and files, one module for each thing they show.

`plot` is the frame of all pictures and `theme` their colours; `curves` draws lines, which suffice for most. `network`
shows the inside of a recurrent network. Pictures of one kind of task have a module of their own beside these, whose
functions return `Plot`s: curves over common axes from `plot_curves`, or anything drawn on axes styled by `style_axes`.
"""

from __future__ import annotations

from rnnapps.reports.plots.curves import Curve, plot_curves, style_axes
from rnnapps.reports.plots.network import plot_gates, plot_gradients
from rnnapps.reports.plots.plot import Plot, arrange
from rnnapps.reports.plots.theme import DARK, LIGHT, Theme

__all__ = [
    "DARK",
    "LIGHT",
    "Curve",
    "Plot",
    "Theme",
    "arrange",
    "plot_curves",
    "plot_gates",
    "plot_gradients",
    "style_axes",
]
