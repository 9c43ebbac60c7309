"""Plots of a run: light and dark, colour-blind-safe, drawn without matplotlib's global state."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from rnnapps.reports.sections import Picture
from rnnapps.training.diagnostics import GradientThroughTime
from rnnapps.training.gates import GateActivations

__all__ = ["DARK", "LIGHT", "Curve", "Plot", "Theme", "arrange", "plot_curves", "plot_gates", "plot_gradients"]

_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))
_MARKERS = "osD^v"
_MARKED_POINTS = 40  # with more points than this, markers hide the line


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Attributes:
        background: colour behind a picture file; pictures inside a report are transparent.
        text: colour of labels and axes.
        grid: colour of the grid.
        colours: colours of the curves, after Okabe & Ito's palette for all kinds of colour vision.
    """

    background: str
    text: str
    grid: str
    colours: tuple[str, ...]


LIGHT = Theme("#ffffff", "#24292f", "#d5dae1", ("#0072b2", "#c04e00", "#00795a", "#a8437d", "#7a6200"))
DARK = Theme("#14181d", "#dfe4ea", "#3a424c", ("#56b4e9", "#ee9a4d", "#3fc79a", "#dd8fbd", "#f0e442"))


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


@dataclass(frozen=True)
class Plot:
    """Something that can be drawn.

    Attributes:
        draw: draws into a figure in a theme's colours.
        alt: what it shows, for those who do not see it.
        caption: text below it.
        width: width in inches.
        height: height in inches.
    """

    draw: Callable[[FigureBase, Theme], None]
    alt: str
    caption: str = ""
    width: float = 5.2
    height: float = 3.0

    def picture(self) -> Picture:
        """The plot for a report, in light and dark."""
        return Picture(light=self.svg(LIGHT), dark=self.svg(DARK), alt=self.alt, caption=self.caption)

    def svg(self, theme: Theme) -> bytes:
        """The plot as SVG with a transparent background; the same plot always gives the same bytes."""
        metadata: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        with mpl.rc_context({"svg.hashsalt": "rnnapps"}):
            return self._save(theme, format="svg", transparent=True, metadata=metadata)

    def png(self, theme: Theme = LIGHT, *, dots_per_inch: int = 150) -> bytes:
        """The plot as PNG."""
        return self._save(theme, format="png", dpi=dots_per_inch, facecolor=theme.background)

    def _save(self, theme: Theme, **options: Any) -> bytes:
        figure = Figure(figsize=(self.width, self.height), layout="constrained")
        FigureCanvasAgg(figure)
        self.draw(figure, theme)
        buffer = io.BytesIO()
        figure.savefig(buffer, **options)
        return buffer.getvalue()


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
        _style_axes(axes, theme, x_label, y_label)
        axes.set_title(title, fontsize=10.5, color=theme.text, loc="left")
        for index, curve in enumerate(curves):
            _draw_curve(axes, theme, curve, index, logarithmic=logarithmic, markers=integer_x)
        if integer_x:
            axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        if logarithmic:
            _logarithmic_scale(axes, [value for curve in curves for value in curve.y])
        if len(curves) > 1:
            figure.legend(loc="outside lower center", ncols=3, frameon=False, labelcolor=theme.text, fontsize=9.5)

    described = "; ".join(_describe(curve) for curve in curves)
    heading = f"{title}: " if title else ""
    return Plot(draw, alt=f"{heading}{y_label} over {x_label}. {described}.")


def plot_gradients(gradients: Sequence[GradientThroughTime]) -> tuple[Plot, ...]:
    """Gradient norms of each layer's output over the time steps, logarithmic: of the loss, and of the last output."""
    titles = {
        "loss": "Gradient of the loss, ‖∂L/∂hₜ‖",
        "last output": "Gradient of the last output, ‖∂h_last/∂hₜ‖",
    }
    names = _short_names([gradient.layer for gradient in gradients])
    return tuple(
        plot_curves(
            [
                Curve(names[gradient.layer], range(1, len(gradient.norms) + 1), gradient.norms)
                for gradient in gradients
                if gradient.of == of and gradient.state == 0
            ],
            x_label="time step t",
            y_label="gradient norm",
            title=title,
            logarithmic=True,
        )
        for of, title in titles.items()
    )


def plot_gates(gates: Sequence[GateActivations]) -> tuple[Plot, ...]:
    """Two plots a layer: the distribution of each gate, and its mean over the time steps."""
    plots: list[Plot] = []
    names = _short_names([gate.layer for gate in gates])
    for layer, group in itertools.groupby(gates, key=lambda gate: gate.layer):
        of_layer = list(group)
        plots.append(
            plot_curves(
                [_distribution(gate) for gate in of_layer],
                x_label="activation",
                y_label="share of values",
                title=f"{names[layer]}: gate activations",
                integer_x=False,
            )
        )
        means = [Curve(gate.gate, range(1, len(gate.mean_over_time) + 1), gate.mean_over_time) for gate in of_layer]
        plots.append(
            plot_curves(means, x_label="time step t", y_label="mean activation", title=f"{names[layer]}: over time")
        )
    return tuple(plots)


def arrange(plots: Sequence[Plot], *, columns: int = 2) -> Plot:
    """One picture of several plots, row by row."""
    rows = math.ceil(len(plots) / columns)

    def draw(figure: FigureBase, theme: Theme) -> None:
        panels = figure.subfigures(rows, columns, squeeze=False).flat
        for panel, plot in zip(panels, plots, strict=False):  # the last row may have empty panels
            panel.set_facecolor("none")
            plot.draw(panel, theme)

    return Plot(
        draw,
        alt=" ".join(plot.alt for plot in plots),
        width=columns * max(plot.width for plot in plots),
        height=rows * max(plot.height for plot in plots),
    )


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """Path of a layer -> the path without the folder all of them share."""
    folders = {path.rpartition("/")[0] for path in paths}
    return {path: path.rpartition("/")[2] if len(folders) == 1 else path for path in paths}


def _distribution(gate: GateActivations) -> Curve:
    total = max(1, sum(gate.histogram))
    middles = [(left + right) / 2 for left, right in itertools.pairwise(gate.edges)]
    return Curve(gate.gate, middles, [count / total for count in gate.histogram])


def _describe(curve: Curve) -> str:
    values = [value for value in curve.y if value is not None and math.isfinite(value)]
    if not values:
        return f"{curve.label}: no values"
    return f"{curve.label}: from {values[0]:.4g} to {values[-1]:.4g}, between {min(values):.4g} and {max(values):.4g}"


def _style_axes(axes: Axes, theme: Theme, x_label: str, y_label: str) -> None:
    axes.set_xlabel(x_label, color=theme.text, fontsize=10.5)
    axes.set_ylabel(y_label, color=theme.text, fontsize=10.5)
    axes.tick_params(colors=theme.text, which="both", labelsize=10)
    axes.grid(color=theme.grid, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_color(theme.grid)
        spine.set_visible(side in ("left", "bottom"))


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
    if value is None or not math.isfinite(value) or (logarithmic and value <= 0.0):
        return math.nan
    return value
