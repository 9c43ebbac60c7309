"""Colours of the pictures: light and dark, for all kinds of colour vision."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "Theme"]


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
