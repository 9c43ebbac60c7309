"""A video model's part of the report: clips with answers, confusion, and how answers form over time."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

from rnnapps.contract.sections import Block, Gallery, Paragraph, Section, Table
from rnnapps.reports.plots.confusion import plot_confusion
from rnnapps.reports.plots.curves import Curve, plot_curves
from rnnapps.reports.plots.plot import Plot
from rnnapps.tasks.video_recognition.classification import confusion_matrix, recall_by_class
from rnnapps.tasks.video_recognition.data.video import Video
from rnnapps.tasks.video_recognition.film_strips import plot_contact_sheet
from rnnapps.tasks.video_recognition.layers.video_network import reads_backwards
from rnnapps.tasks.video_recognition.scoring import numbers_of, video_scorer
from rnnapps.tasks.video_recognition.streaming import probabilities_over_time
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.types import Array

__all__ = ["plot_over_time", "video_sections"]

SHEET_ROWS, OVER_TIME, CURVES = 8, 4, 3


def video_sections(network: keras.Model, video_format: VideoFormat, validation: Sequence[Video]) -> list[Section]:
    """Pictures of validation videos: wrong answers first, as many right ones, and both over time."""
    probabilities = video_scorer(network, validation, video_format.clip_frames)()
    targets = numbers_of(validation, video_format.labels)
    best = probabilities.argmax(axis=1)
    matrix = confusion_matrix(best, targets, len(video_format.labels))
    shown = _mixed(best == targets, SHEET_ROWS)
    titles = [_title(validation[row].label, video_format.labels, probabilities[row]) for row in shown]
    blocks: list[Block] = [plot_contact_sheet([validation[row].rows() for row in shown], titles).picture()]
    if not reads_backwards(network):
        blocks.append(_over_time(network, video_format, [validation[row] for row in shown[:OVER_TIME]]))
    recalls = zip(video_format.labels, recall_by_class(matrix), matrix.sum(axis=1), strict=True)
    rows = [(label, None if np.isnan(value) else float(value), int(count)) for label, value, count in recalls]
    table = Table(("Class", "recall", "videos"), rows, "Validation videos")
    confusion = plot_confusion(matrix, video_format.labels, title="Validation videos")
    return [Section("Videos", blocks), Section("Confusion", [confusion.picture(), table])]


def _mixed(right: Array, count: int) -> list[int]:
    """Numbers of some right and some wrong answers by turns, as long as there are both."""
    wrong_places, right_places = np.flatnonzero(~right).tolist(), np.flatnonzero(right).tolist()
    half = max(count // 2, count - len(right_places))
    chosen = wrong_places[:half]
    return [*chosen, *right_places[:: max(1, len(right_places) // max(1, count - len(chosen)))]][:count]


def _title(label: str, labels: Sequence[str], probabilities: Array) -> str:
    """The true class beside the answer."""
    best = int(probabilities.argmax())
    sign = "right" if labels[best] == label else "wrong"
    return f"{label}: answer {labels[best]} ({probabilities[best]:.2f}), {sign}"


def _over_time(network: keras.Model, video_format: VideoFormat, videos: Sequence[Video]) -> Block:
    """How the answer forms while each video is watched."""
    plots = [
        plot_over_time(list(probabilities_over_time(network, video.rows())), video_format, video.label)
        for video in videos
    ]
    return Gallery([plot.picture() for plot in plots]) if plots else Paragraph("There is no video to show.")


def plot_over_time(probabilities: Sequence[Array], video_format: VideoFormat, label: str) -> Plot:
    """Probabilities of the classes that were likeliest at some time, after each frame.

    Args:
        probabilities: `(classes,)` after each frame.
        video_format: rate and classes.
        label: the true class.
    """
    table = np.stack(probabilities)
    peaks = np.argsort(-table.max(axis=0))[:CURVES]
    seconds = (np.arange(len(table)) / video_format.frames_per_second).tolist()
    curves = [Curve(video_format.labels[number], seconds, table[:, number].tolist()) for number in peaks]
    return plot_curves(curves, x_label="seconds", y_label="probability", title=f"A video of {label}", integer_x=False)
