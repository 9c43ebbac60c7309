"""How numbers are spread, as bars."""

from __future__ import annotations

import itertools

from matplotlib.figure import FigureBase

from rnnapps.contract.data_report import Histogram
from rnnapps.reports.plots.curves import style_axes
from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme

__all__ = ["plot_histogram"]


def plot_histogram(histogram: Histogram, *, caption: str = "") -> Plot:
    """A bar for each bin, as wide as the bin."""
    edges, counts = list(histogram.edges), list(histogram.counts)
    widths = [high - low for low, high in itertools.pairwise(edges)]

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, histogram.title, "examples")
        axes.bar(edges[:-1], counts, width=widths, align="edge", color=theme.colours[0], edgecolor=theme.grid)

    most = max(range(len(counts)), key=counts.__getitem__)
    described = f"most, {counts[most]:,}, lie from {edges[most]:.4g} to {edges[most + 1]:.4g}"
    return Plot(draw, alt=f"{histogram.title}: {sum(counts):,} examples; {described}.", caption=caption)
