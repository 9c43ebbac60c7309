"""What a search has found: shares of settings as bars, and configurations as points."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import FigureBase

from rnnapps.reports.plots.curves import draw_legend, style_axes
from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme

__all__ = ["Point", "plot_points", "plot_shares"]

INCHES_FOR_A_BAR = 0.3


@dataclass(frozen=True)
class Point:
    """A point of a plot.

    Attributes:
        label: written beside it.
        x: its position.
        y: its value.
        marked: set off from the others.
    """

    label: str
    x: float
    y: float
    marked: bool


def plot_shares(shares: Mapping[str, float], *, x_label: str) -> Plot:
    """A bar for each name, the first on top."""

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, x_label, "")
        names = [textwrap.fill(name, 30) for name in shares]
        axes.barh(names[::-1], list(shares.values())[::-1], color=theme.colours[0])

    described = "; ".join(f"{name}: {share:.2f}" for name, share in shares.items())
    return Plot(draw, alt=f"{x_label}. {described}.", height=max(1.6, 0.8 + INCHES_FOR_A_BAR * len(shares)))


def plot_points(points: Sequence[Point], *, x_label: str, y_label: str, marked: str, others: str) -> Plot:
    """Points with their labels.

    Args:
        points: them.
        x_label: name and unit of x.
        y_label: name and unit of y.
        marked: what the marked ones are, for the legend.
        others: what the others are.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, x_label, y_label)
        for of, name, marker, colour in ((True, marked, "o", 0), (False, others, "x", 1)):
            own = [point for point in points if point.marked == of]
            x, y = [point.x for point in own], [point.y for point in own]
            axes.plot(x, y, marker, label=name, color=theme.colours[colour], markersize=6)
        for point in points:
            place: dict[str, Any] = {"textcoords": "offset points", "xytext": (5, 4), "fontsize": 9}
            axes.annotate(point.label, (point.x, point.y), color=theme.text, **place)
        axes.margins(0.12)
        draw_legend(figure, theme)

    described = "; ".join(f"{point.label}: {point.x:.4g}, {point.y:.4g}" for point in points)
    return Plot(draw, alt=f"{y_label} over {x_label}, for each configuration. {described}.")
