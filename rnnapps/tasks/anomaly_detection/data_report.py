"""What was understood of watched rows: sensors, labels and their split, and what usually ruins a detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from rnnapps.contract.data_report import Caution, Counts, DataReport
from rnnapps.data.look.tables import every_series, look_at_series
from rnnapps.data.series.series import SeriesPart
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.data.watched import WatchedSeries, read_watched
from rnnapps.tasks.anomaly_detection.metrics import area_under_roc
from rnnapps.types import Array

__all__ = ["label_cautions", "look_at_rows"]

MANY = 0.05
"""Share of labelled training rows from which on a model of ordinary rows learns the faults, too."""

TELLING = 0.98
"""Area under the ROC curve from which on a column alone says what the label is."""


def look_at_rows(data: AnomalyDataConfig, given: object = None) -> DataReport:
    """Describes rows; raises DataError as `read_watched` does."""
    watched = read_watched(data, given)
    report = look_at_series(watched.parts, data, watched.source, skipped=watched.skipped)
    counts = [counts for name in watched.parts._fields if (counts := _labels(name, watched)) is not None]
    return dataclasses.replace(
        report,
        counts=[*report.counts, *counts],
        cautions=[*report.cautions, *_faults(watched), *_telling(watched)],
    )


def _labels(name: str, watched: WatchedSeries) -> Counts | None:
    """The labels of a part; None where it has none."""
    labels = _marks(getattr(watched.parts, name))
    if not len(labels):
        return None
    values, counts = np.unique(labels, return_counts=True)
    named = {_label_name(int(value), watched.kinds): int(count) for value, count in zip(values, counts, strict=True)}
    return Counts(f"labels of {name} rows", dict(sorted(named.items(), key=lambda pair: -pair[1])), len(named))


def _marks(parts: Sequence[SeriesPart]) -> Array:
    """The labels of all rows of parts that have some, int32 `(rows,)`."""
    labels = [own for part in parts if (own := part.rows().labels) is not None]
    return np.concatenate(labels) if labels else np.zeros(0, np.int32)


def _label_name(value: int, kinds: Sequence[str]) -> str:
    """What a label is called."""
    if value < 0:
        return "missing"
    return "ordinary" if not value else kinds[value - 1] if value <= len(kinds) else f"label {value}"


def _faults(watched: WatchedSeries) -> list[Caution]:
    """Tells of faults among the training rows, and of tests without any."""
    cautions = []
    marked, tested = _marks(watched.parts.train), _marks(watched.parts.test)
    share = float(np.mean(marked > 0)) if len(marked) else 0.0
    if share > MANY:
        told = f"{100 * share:.1f} % of the training rows are labelled as faults: they are taken for ordinary"
        cautions.append(Caution(told, "train on rows without faults, or see --detection for how labels are used"))
    if len(tested) and not (tested > 0).any():
        cautions.append(Caution("no test row is labelled as a fault: evaluate cannot say what is found", "split later"))
    return cautions


def _telling(watched: WatchedSeries) -> list[Caution]:
    """Tells of columns that say by themselves what the label is."""
    labelled = [series for series in every_series(watched.parts) if series.labels is not None]
    if not labelled:
        return []
    values = np.concatenate([series.values for series in labelled])
    labels = np.concatenate([series.labels for series in labelled if series.labels is not None])
    return label_cautions(values, labels, labelled[0].channels)


def label_cautions(values: Array, labels: Array, channels: Sequence[str]) -> list[Caution]:
    """Tells of columns that say by themselves what the label is.

    Args:
        values: rows `(rows, channels)`, NaN where missing.
        labels: whole numbers `(rows,)`, 0 for ordinary rows, below 0 where missing.
        channels: names of the columns.
    """
    cautions = []
    for place, name in enumerate(channels):
        known = (labels >= 0) & np.isfinite(values[:, place])
        area = area_under_roc(labels[known] > 0, values[known, place]) if known.any() else np.nan
        area = max(area, 1 - area)  # low values may tell it, too
        if area >= TELLING:
            told = f"column {name!r} alone tells the label (area under the ROC curve {area:.3f})"
            cautions.append(Caution(told, "leave it out if it is not known when the model is used"))
    return cautions
