"""What a detector found, as results and as pictures: series, score, threshold, flags, and the sensor behind a flag."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from rnnapps.atomic import write_atomically
from rnnapps.contract.sections import Paragraph, Section, Table
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.data.series.shown_times import shown_times
from rnnapps.errors import ConfigError
from rnnapps.reports.plots import LIGHT, Plot, Theme
from rnnapps.tasks.anomaly_detection.alarms import Severity, excess, severity
from rnnapps.tasks.anomaly_detection.evaluate import judge_parts
from rnnapps.tasks.anomaly_detection.findings import AnomalyEvent, Kind, ScoredRow
from rnnapps.tasks.anomaly_detection.judge import Judged
from rnnapps.tasks.anomaly_detection.metrics import Interval, intervals
from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
from rnnapps.tasks.anomaly_detection.silence import silent_sensors
from rnnapps.tasks.anomaly_detection.streams import DetectorStream
from rnnapps.types import Array

__all__ = [
    "describe_events",
    "describe_rows",
    "detect_in_tables",
    "detection_section",
    "plot_detection",
    "require_picture",
    "top_sensors",
]

MOST_SENSORS = 3
DRAWN_ROWS = 3000
"""Rows of a picture; of longer series the stretch around the highest score."""

DRAWN_SERIES = 4


def detect_in_tables(
    runner: PartRunner, series: Sequence[Series], *, picture: str = "", rows: bool = False
) -> list[AnomalyEvent] | list[ScoredRow]:
    """What is unusual in series.

    Args:
        runner: runs the detector.
        series: from `read_like_training`.
        picture: .png or .svg file to draw into.
        rows: return each row with its score instead of the events.

    Returns:
        The events, or all rows, of one series behind those of another. For a classifier, every flagged row is an event.
    """
    parts = [SeriesPart(own, 0, len(own)) for own in series]
    stream = runner.stream
    judged = judge_parts(runner, parts, stream.config)
    if picture:
        worst = max(range(len(judged)), key=lambda number: float(judged[number].scores.max(initial=0.0)))
        plot = plot_detection(parts[worst], judged[worst], stream)
        kind = Path(picture).suffix.lower()
        write_atomically(Path(picture), plot.png() if kind == ".png" else plot.svg(LIGHT))
    pairs = list(zip(parts, judged, strict=True))
    if rows:
        return [row for part, own in pairs for row in describe_rows(part, own, stream)]
    return [event for part, own in pairs for event in describe_events(part, own, stream)]


def require_picture(picture: str) -> None:
    """Raises ConfigError, where a file to draw into has another ending than .png or .svg."""
    if picture and Path(picture).suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"picture must end in .png or .svg, not {picture}")


def describe_events(part: SeriesPart, judged: Judged, stream: DetectorStream) -> list[AnomalyEvent]:
    """The events of a series."""
    names, times, limits = _watched(stream), _times(part), judged.thresholds()
    unusual = [
        AnomalyEvent(
            series=judged.name,
            kind="anomaly",
            first_row=first,
            last_row=last,
            first_time=times[first],
            last_time=times[last],
            peak_score=float(judged.scores[first : last + 1].max()),
            threshold=float(limits[first + int(judged.scores[first : last + 1].argmax())]),
            severity=_severity(judged, (first, last), stream),
            sensors=top_sensors(_share(judged, first, last), names),
        )
        for first, last in judged.events
    ]
    return sorted([*unusual, *_silences(judged, stream, times)], key=lambda event: event.first_row)


def _silences(judged: Judged, stream: DetectorStream, times: Sequence[pd.Timestamp | None]) -> list[AnomalyEvent]:
    """The stretches in which sensors are silent for unusually long, from their first row without a value on."""
    if judged.missing is None or judged.silent is None:
        return []
    names, least, usual = stream.rows.channels, stream.config.missing_steps, stream.rows.usual_gaps
    whole = _backdated(judged.silent, max(least, stream.rows.longest_silence + 1))
    found: list[tuple[Kind, tuple[str, ...], Interval]] = [("all silent", names, stretch) for stretch in whole]
    for place, name in enumerate(names):
        for first, last in _backdated(judged.missing[:, place], max(least, usual[place] + 1)):
            if not any(start <= first and last <= stop for start, stop in whole):
                found.append(("sensor missing", (name,), (first, last)))
    return [
        AnomalyEvent(
            series=judged.name,
            kind=kind,
            first_row=first,
            last_row=last,
            first_time=times[first],
            last_time=times[last],
            peak_score=None,
            threshold=None,
            severity=None,
            sensors={name: round(1 / len(silent), 3) for name in silent},
        )
        for kind, silent, (first, last) in found
    ]


def _backdated(flags: Array, delay: int) -> list[Interval]:
    """Stretches that are told `delay` rows after they begin, from their beginning on."""
    return [(max(first - delay + 1, 0), last) for first, last in intervals(flags)]


def describe_rows(part: SeriesPart, judged: Judged, stream: DetectorStream) -> list[ScoredRow]:
    """The rows of a series with their scores."""
    assert judged.contribution is not None and judged.missing is not None and judged.silent is not None
    names, flagged, channels = _watched(stream), judged.flags().tolist(), stream.rows.channels
    silent = [silent_sensors(*both, channels) for both in zip(judged.missing, judged.silent.tolist(), strict=True)]
    first, limits, alarms = judged.contribution.argmax(axis=1), judged.thresholds().tolist(), [""] * len(judged.scores)
    for begin, end in judged.events:
        alarms[begin : end + 1] = [_severity(judged, (begin, end), stream)] * (end + 1 - begin)
    return [
        ScoredRow(
            series=judged.name,
            row=row,
            time=time,
            score=score,
            threshold=limits[row],
            flag=flag,
            sensor=names[first[row]] if flag else "",
            missing=silent[row],
            alarm=alarms[row],
        )
        for row, (time, score, flag) in enumerate(zip(_times(part), judged.scores.tolist(), flagged, strict=True))
    ]


def _severity(judged: Judged, event: Interval, stream: DetectorStream) -> Severity:
    """How severe an event is."""
    peak = float(judged.scores[event[0] : event[1] + 1].max())
    return severity(excess(peak, judged.threshold, probabilities=stream.kind == "classifier"))


def _watched(stream: DetectorStream) -> tuple[str, ...]:
    """Names of the sensors whose share in a score is known."""
    return stream.rows.channels if stream.kind == "classifier" else stream.rows.targets


def _times(part: SeriesPart) -> Sequence[pd.Timestamp | None]:
    """The time of each row of a part, None where there is none."""
    own = part.rows()
    return [None] * len(own) if own.times is None else shown_times(own.times, own.timezone)


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
        (
            event.series,
            event.kind,
            *_place(event),
            event.peak_score or "",
            event.severity or "",
            ", ".join(event.sensors),
        )
        for number in order
        for event in describe_events(chosen[number], judged[number], stream)
    ]
    columns = ("Series", "Kind", "First row", "Last row", "From", "To", "Peak score", "Severity", "Sensors")
    note = "Shaded: labelled faults. Marks below the score: flagged events. The sensors that made the score are drawn."
    return Section("What the detector flags", [Paragraph(note), *pictures, Table(columns, rows[:50], "Flagged events")])


def _place(event: AnomalyEvent) -> tuple[int, int, str, str]:
    """First and last row of an event, and their times where there are any."""
    first, last = ("" if time is None else str(time) for time in (event.first_time, event.last_time))
    return event.first_row, event.last_row, first, last


def _height(event: AnomalyEvent) -> tuple[float | str, str]:
    """Peak and severity of an event, nothing of silence."""
    return event.peak_score or "", event.severity or ""


def _excess(judged: Judged) -> float:
    """The highest score in units of the threshold."""
    return float(judged.scores.max(initial=0.0)) / max(judged.threshold, 1e-9)


def plot_detection(part: SeriesPart, judged: Judged, stream: DetectorStream) -> Plot:
    """Sensors, score, threshold and flags of a series, or of the stretch of it around the highest score."""
    series, names = part.rows(), _watched(stream)
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
        limits = judged.thresholds()[rows]
        axes[-1].plot(x, limits, color=theme.colours[1], linestyle="--", linewidth=1, label="threshold")
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
