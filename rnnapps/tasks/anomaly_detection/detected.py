"""What a detector found, as results and as pictures: series, score, threshold, flags, and the sensor behind a flag."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from rnnapps.contract.sections import Paragraph, Section, Table
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.errors import ConfigError, DataError
from rnnapps.reports.plots import LIGHT, Plot, Theme
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import read_tables
from rnnapps.tasks.anomaly_detection.evaluate import judge_parts
from rnnapps.tasks.anomaly_detection.judge import Judged
from rnnapps.tasks.anomaly_detection.metrics import intervals
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.training.run import write_atomically
from rnnapps.types import Array

__all__ = [
    "describe_events",
    "detect_in_tables",
    "detection_section",
    "plot_detection",
    "read_like_training",
    "top_sensors",
]

MOST_SENSORS = 3
DRAWN_ROWS = 3000
"""Rows of a picture; of longer series the stretch around the highest score."""

DRAWN_SERIES = 4


def detect_in_tables(stream: DetectorStream, path: str, *, picture: str = "") -> list[dict[str, Any]]:
    """The events in a table, or a folder of tables, read as the training data were.

    Args:
        stream: the detector.
        path: the table.
        picture: .png or .svg file to draw into.

    Returns:
        One dict an event: series, first and last row, their times, peak score, threshold, and the share in the score of
        the sensors behind it. For a classifier, every flagged row is one.

    Raises:
        DataError: the table cannot be read, or a sensor is missing in it.
        ConfigError: the picture has another ending.
    """
    kind = Path(picture).suffix.lower()
    if picture and kind not in (".png", ".svg"):
        raise ConfigError(f"picture must end in .png or .svg, not {picture}")
    parts = [SeriesPart(series, 0, len(series)) for series in read_like_training(stream, path)]
    judged = judge_parts(PartRunner(stream), parts, stream.config)
    if picture:
        worst = max(range(len(judged)), key=lambda number: float(judged[number].scores.max(initial=0.0)))
        plot = plot_detection(parts[worst], judged[worst], stream)
        write_atomically(Path(picture), plot.png() if kind == ".png" else plot.svg(LIGHT))
    return [event for part, own in zip(parts, judged, strict=True) for event in describe_events(part, own, stream)]


def read_like_training(stream: DetectorStream, path: str) -> list[Series]:
    """Reads tables as the training data were read; the sensors are found by name."""
    known = stream.rows
    reading: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in known.reading.items()
    }
    plain: dict[str, Any] = {"labels": "", "label": "", "test": None, "channels": known.channels, "source": path}
    dropped = {"validation_from": "", "test_from": "", "until": "", "validation_until": ""}
    config = AnomalyDataConfig(**{**reading, **plain, **dropped})
    tables = read_tables(config)
    if not tables:
        raise DataError(path, "holds no rows", "give a table with rows")
    return [dataclasses.replace(series, labels=None) for series in tables]


def describe_events(part: SeriesPart, judged: Judged, stream: DetectorStream) -> list[dict[str, Any]]:
    """The events of a series as JSON values."""
    names = stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
    times, described = part.rows().times, []
    for first, last in judged.events:
        peak = first + int(judged.scores[first : last + 1].argmax())
        event: dict[str, Any] = {"series": judged.name, "first_row": first, "last_row": last}
        if times is not None:
            event |= {
                "first_time": str(times[first].astype("datetime64[s]")),
                "last_time": str(times[last].astype("datetime64[s]")),
            }
        event |= {"peak_score": float(judged.scores[peak]), "threshold": judged.threshold}
        described.append(event | {"sensors": top_sensors(_share(judged, first, last), names)})
    return described


def top_sensors(share: Array, names: Sequence[str]) -> dict[str, float]:
    """The sensors with the largest shares, the largest first."""
    order = np.argsort(-share, kind="stable")[:MOST_SENSORS]
    return {names[sensor]: round(float(share[sensor]), 3) for sensor in order if share[sensor] > 0}


def _share(judged: Judged, first: int, last: int) -> Array:
    """Mean share of each sensor in an event, weighted by the score."""
    assert judged.contribution is not None
    weights = judged.scores[first : last + 1, None]
    total = float(weights.sum())
    share: Array = (judged.contribution[first : last + 1] * weights).sum(axis=0) / (total if total > 0 else 1.0)
    return share


def detection_section(stream: DetectorStream, parts: Sequence[SeriesPart]) -> Section:
    """Pictures of the held-out series with the highest scores above their threshold."""
    chosen = parts
    if len(parts) > 10 * DRAWN_SERIES:
        chosen = sorted(parts, key=len, reverse=True)[: 10 * DRAWN_SERIES]
    judged = judge_parts(PartRunner(stream), chosen, stream.config)
    order = sorted(range(len(judged)), key=lambda number: -_excess(judged[number]))[:DRAWN_SERIES]
    pictures = [plot_detection(chosen[number], judged[number], stream).picture() for number in order]
    rows = [
        (event["series"], event["first_row"], event["last_row"], event["peak_score"], ", ".join(event["sensors"]))
        for number in order
        for event in describe_events(chosen[number], judged[number], stream)
    ]
    columns = ("Series", "First row", "Last row", "Peak score", "Sensors")
    note = "Shaded: labelled faults. Marks below the score: flagged events. The sensors that made the score are drawn."
    return Section("What the detector flags", [Paragraph(note), *pictures, Table(columns, rows[:50], "Flagged events")])


def _excess(judged: Judged) -> float:
    """The highest score in units of the threshold."""
    return float(judged.scores.max(initial=0.0)) / max(judged.threshold, 1e-9)


def plot_detection(part: SeriesPart, judged: Judged, stream: DetectorStream) -> Plot:
    """Sensors, score, threshold and flags of a series, or of the stretch of it around the highest score."""
    series, names = part.rows(), stream.rows.channels if stream.kind == "classifier" else stream.rows.targets
    peak = int(judged.scores.argmax()) if len(judged.scores) else 0
    low = max(min(peak - DRAWN_ROWS // 2, len(series) - DRAWN_ROWS), 0)
    rows = slice(low, low + DRAWN_ROWS)
    x = np.arange(low, low + len(judged.scores[rows]))
    events = [event for event in judged.events if event[0] < rows.stop and event[1] >= low]
    share = sum((_share(judged, *event) for event in events), np.zeros(len(names)))
    shown = list(np.argsort(-share, kind="stable")[:MOST_SENSORS])
    labelled = intervals(series.labels > 0) if series.labels is not None else []

    def draw(figure: FigureBase, theme: Theme) -> None:
        axes = figure.subplots(len(shown) + 1, 1, sharex=True)
        for axis, sensor in zip(axes, shown, strict=False):
            column = series.values[rows, series.channels.index(names[sensor])]
            axis.plot(x, column, color=theme.colours[0], linewidth=0.8)
            _label(axis, theme, names[sensor])
        axes[-1].plot(x, judged.scores[rows], color=theme.colours[0], linewidth=0.9, label="score")
        axes[-1].axhline(judged.threshold, color=theme.colours[1], linestyle="--", linewidth=1, label="threshold")
        for first, last in events:
            axes[-1].plot([first, last + 1], [0, 0], color=theme.colours[1], linewidth=5, solid_capstyle="butt")
        for axis in axes:
            for first, last in labelled:
                if first < rows.stop and last >= low:
                    axis.axvspan(first - 0.5, last + 0.5, color=theme.colours[2], alpha=0.3, linewidth=0)
            axis.set_xlim(x[0], x[-1] + 1)
        _label(axes[-1], theme, "score")
        axes[-1].set_xlabel("row", color=theme.text, fontsize=9)
        axes[-1].legend(frameon=False, labelcolor=theme.text, fontsize=8, loc="upper right", ncols=2)

    top = ", ".join(names[sensor] for sensor in shown)
    alt = (
        f"Series {judged.name}, rows {low} to {low + len(x) - 1}: {top}, and the score, which reaches "
        f"{judged.scores[peak]:.3g} at row {peak}; threshold {judged.threshold:.3g}; {len(events)} flagged events."
    )
    return Plot(draw, alt=alt, caption=alt, width=10.4, height=1.3 * (len(shown) + 1) + 0.6)


def _label(axis: Axes, theme: Theme, name: str) -> None:
    """Names the axis of a sensor or of the score, and draws it in the colours of the theme."""
    axis.set_ylabel(name, color=theme.text, fontsize=8.5)
    axis.tick_params(colors=theme.text, labelsize=8)
    axis.grid(color=theme.grid, linewidth=0.5)
    axis.set_facecolor("none")
    for side, spine in axis.spines.items():
        spine.set_color(theme.grid)
        spine.set_visible(side in ("left", "bottom"))
