"""The frame of every picture: as SVG in light and dark, as PNG, and several in one; no global state of matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase

from rnnapps.contract.sections import Picture
from rnnapps.reports.plots.theme import DARK, LIGHT, Theme

__all__ = ["Plot", "arrange"]


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
        buffer = io.BytesIO()
        # A dollar in the name of a class or a sensor is a dollar, and begins no formula.
        with mpl.rc_context({"text.parse_math": False}):
            figure = Figure(figsize=(self.width, self.height), layout="constrained")
            FigureCanvasAgg(figure)
            self.draw(figure, theme)
            figure.savefig(buffer, **options)
        return buffer.getvalue()


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
