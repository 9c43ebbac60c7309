"""Lines over common axes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from rnnapps.reports.plots.plot import Plot
from rnnapps.reports.plots.theme import Theme

__all__ = ["Curve", "draw_legend", "plot_curves", "style_axes"]

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = "osD^v"
_LETTER_INCHES, _HANDLE_INCHES = 0.075, 0.55  # of a legend: a letter on average, and the line with its gaps
_LABEL_LETTERS = 30  # in a line of a label that stands upright beside a small plot
_MARKED_POINTS = 40  # with more points than this, markers hide the line


@dataclass(frozen=True)
class Curve:
    """A line of a plot.

    Attributes:
        label: its name in the legend.
        x: positions.
        y: values; None and values that are not finite leave a gap.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]


def plot_curves(
    curves: Sequence[Curve],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    logarithmic: bool = False,
    integer_x: bool = True,
) -> Plot:
    """Lines over a common axis.

    Args:
        curves: the lines.
        x_label: name and unit of x.
        y_label: name and unit of y.
        title: title above the plot.
        logarithmic: draw y on a logarithmic scale; values that are not positive leave a gap.
        integer_x: label x at whole numbers only, and mark the points where they are few.
    """

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots()
        style_axes(axes, theme, x_label, y_label)
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        for index, curve in enumerate(curves):
            _draw_curve(axes, theme, curve, index, logarithmic=logarithmic, markers=integer_x)
        if integer_x:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        if logarithmic:
            _logarithmic_scale(axes, [value for curve in curves for value in curve.y])
        if len(curves) > 1:
            draw_legend(figure, theme)

    described = "; ".join(_describe(curve) for curve in curves)
    heading = f"{title}: " if title else ""
    return Plot(draw, alt=f"{heading}{y_label} over {x_label}. {described}.")


def draw_legend(figure: FigureBase, theme: Theme) -> None:
    """A legend of all lines below the axes, in as many columns as the figure is wide enough for, at most three."""
    drawn: Any = figure  # a figure or a panel of one, whose common class lacks what both have
    labels = [label for axes in drawn.axes for label in axes.get_legend_handles_labels()[1]]
    widest = max(map(len, labels), default=0) * _LETTER_INCHES + _HANDLE_INCHES
    inches = drawn.bbox.width / drawn.get_figure(root=True).dpi
    columns = min(max(int(inches / widest), 1), 3)
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, labelcolor=theme.text, fontsize=9.5)


def style_axes(axes: Axes, theme: Theme, x_label: str, y_label: str) -> None:
    """Gives axes their labels and a theme's colours, with a grid and without a frame."""
    axes.set_xlabel(x_label, color=theme.text, fontsize=10.5)
    axes.set_ylabel(textwrap.fill(y_label, _LABEL_LETTERS), color=theme.text, fontsize=10.5)
    axes.tick_params(colors=theme.text, which="both", labelsize=10)
    axes.grid(color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_color(theme.grid)
        spine.set_visible(side in ("left", "bottom"))


def _describe(curve: Curve) -> str:
    values = [value for value in curve.y if value is not None and math.isfinite(value)]
    if not values:
        return f"{curve.label}: no values"
    return f"{curve.label}: from {values[0]:.4g} to {values[-1]:.4g}, between {min(values):.4g} and {max(values):.4g}"


def _draw_curve(axes: Axes, theme: Theme, curve: Curve, index: int, *, logarithmic: bool, markers: bool) -> None:
    values = [_drawable(value, logarithmic=logarithmic) for value in curve.y]
    axes.plot(
        list(curve.x),
        values,
        label=curve.label,
        color=theme.colours[index % len(theme.colours)],
        linestyle=_DASHES[index % len(_DASHES)],
        linewidth=1.8,
        marker=_MARKERS[index % len(_MARKERS)] if markers and len(values) <= _MARKED_POINTS else None,
        markersize=4,
    )


def _logarithmic_scale(axes: Axes, values: Sequence[float | None]) -> None:
    positive = [value for value in values if value is not None and 0.0 < value < math.inf]
    if not positive:
        return
    axes.set_yscale("log")
    decades = math.log10(max(positive) / min(positive))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.0 else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _drawable(value: float | None, *, logarithmic: bool) -> float:
    """The value, or NaN where the axis has no place for it."""
    if value is None or not math.isfinite(value) or (logarithmic and value <= 0.0):
        return math.nan
    return value
