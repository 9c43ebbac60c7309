"""A budget of alarms is kept, whatever the scores do, and costs nothing where there is nothing to save."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import itertools
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.series.row_options import RowOptions
from rnnapps.errors import ConfigError
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.tasks.anomaly_detection.alarm_budget import AlarmBudget, budget_of, raised_thresholds
from rnnapps.tasks.anomaly_detection.alarms import alarm_figures, excess, severity
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.detector_networks import forecaster
from rnnapps.tasks.anomaly_detection.endpoints import detection_endpoints
from rnnapps.tasks.anomaly_detection.export_config import DetectorExportConfig
from rnnapps.tasks.anomaly_detection.judge import Judged, find_events
from rnnapps.tasks.anomaly_detection.lines import judge_lines
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Flags, Rows, State
from rnnapps.types import Array
from rnnapps.verbs.stream_state import KeptMemory

DAY_ROWS = 96
"""A row each quarter of an hour."""

DAYS = 90
TWO_A_DAY = AlarmBudget(2 / DAY_ROWS, join_steps=1)
CONFIG = DetectionConfig(join_steps=1)


def begins(scores: Array, thresholds: float | Array) -> Array:
    """The first rows of alarms."""
    events = find_events(scores, thresholds, np.zeros((len(scores), 1)), CONFIG)
    return np.array([first for first, _ in events], int)


def drifting(seed: int) -> Array:
    """Scores of 90 days: heavy tails and a day's rhythm, and a scale that becomes eight times what it was."""
    draw, rows = np.random.default_rng(seed), np.arange(DAYS * DAY_ROWS)
    scale = 8 ** (rows / len(rows)) * (1 + 0.3 * np.sin(2 * np.pi * rows / DAY_ROWS))
    return (scale * np.abs(draw.standard_t(6, len(rows)))).astype(np.float32)


def doubled_row_by_row(scores: Array, calibrated: float, budget: AlarmBudget) -> Array:
    """The thresholds by the words of the documentation, one row after another, in plain Python."""
    doublings, quiet_left, found = 0.0, 0, []
    for score in scores.tolist():
        is_open = quiet_left > 0
        limit = calibrated * 2 ** (max(doublings - 1, 0) if is_open else doublings)
        found.append(limit)
        if is_open:
            doublings += budget.alarms_per_row
        elif score > limit:
            doublings += 1 - budget.alarms_per_row
        else:
            doublings = max(doublings - budget.alarms_per_row, 0)
        quiet_left = budget.join_steps + 1 if score > limit else max(quiet_left - 1, 0)
    return np.array(found)


@pytest.mark.parametrize("seed", [0, 1])
def test_two_alarms_a_day_are_kept_over_90_days_of_drift(seed: int) -> None:
    """Calibrated on the first week, as a fixed threshold is that has 1.5 alarms a day in it."""
    scores = drifting(seed)
    week = np.sort(scores[: 7 * DAY_ROWS])
    calibrated = float(week[-10])
    fixed, kept = begins(scores, calibrated), begins(scores, raised_thresholds(scores, calibrated, TWO_A_DAY))
    assert len(fixed) > 3 * 2 * DAYS
    assert 0.8 * 2 * DAYS < len(kept) <= 2 * DAYS + 1 + np.log2(scores.max() / calibrated)
    last_month = kept[kept >= 60 * DAY_ROWS]
    assert 1.6 * 30 < len(last_month) <= 2.1 * 30
    assert np.unique(kept // DAY_ROWS, return_counts=True)[1].max() <= 5


@pytest.mark.parametrize("kind", ["storm", "step", "chattering", "ever higher", "nothing"])
def test_no_scores_break_the_bound(kind: str) -> None:
    rows = np.arange(20 * DAY_ROWS)
    scores = {
        "storm": np.where(rows % 7 == 0, 50.0, 0.0),
        "step": np.where(rows > 500, 12.0, 0.5),
        "chattering": np.where(rows % 2 == 0, 3.0, 0.0),
        "ever higher": 1.01 ** np.minimum(rows, 1200),
        "nothing": np.zeros(len(rows)),
    }[kind].astype(np.float32)
    found = begins(scores, raised_thresholds(scores, 1.0, TWO_A_DAY))
    assert len(found) <= 2 * 20 + 1 + np.log2(max(scores.max(), 1))
    assert (len(found) > 0) == (kind != "nothing")
    if kind == "step":  # what stays becomes usual, and what is worse than that is an alarm again
        scores[-1] = 100.0
        thresholds = raised_thresholds(scores, 1.0, TWO_A_DAY)
        assert thresholds[-DAY_ROWS:].min() > 5.9
        assert begins(scores, thresholds)[-1] == len(scores) - 1


def test_a_budget_that_is_not_needed_changes_no_flag() -> None:
    scores = np.full(40 * DAY_ROWS, 0.5, np.float32)
    scores[:: 2 * DAY_ROWS] = 1.5
    thresholds = raised_thresholds(scores, 1.0, TWO_A_DAY)
    np.testing.assert_array_equal(scores > thresholds, scores > 1.0)
    assert thresholds[DAY_ROWS // 2 + 20 : 2 * DAY_ROWS].max() == 1.0
    assert thresholds.max() == pytest.approx(2 ** (1 + TWO_A_DAY.join_steps * TWO_A_DAY.alarms_per_row), rel=1e-5)


@pytest.mark.parametrize("budget", [TWO_A_DAY, AlarmBudget(0.05, join_steps=0)])
def test_thresholds_are_those_of_the_words(budget: AlarmBudget) -> None:
    scores = drifting(3)[:3000]
    np.testing.assert_allclose(
        raised_thresholds(scores, 1.5, budget), doubled_row_by_row(scores, 1.5, budget), rtol=1e-5
    )


def test_odds_of_probabilities_are_doubled() -> None:
    scores = np.array([0.1, 0.9, 0.1, 0.1], np.float32)
    thresholds = raised_thresholds(scores, 0.6, AlarmBudget(1e-9, join_steps=0, probabilities=True))
    np.testing.assert_allclose(thresholds, [0.6, 0.6, 0.6, 0.75], rtol=1e-5)  # odds 1.5 and 3
    assert excess(0.75, 0.6, probabilities=True) == pytest.approx(2)
    assert [severity(peak) for peak in (1.99, 2, 3.99, 4)] == ["minor", "major", "major", "critical"]


def test_alarms_are_counted_by_days() -> None:
    events = ((0, 3), (50, 51), (100, 100))
    judged = Judged("x", np.zeros(2 * DAY_ROWS), 1.0, np.zeros((2 * DAY_ROWS, 1)), None, None, events)
    quiet = dataclasses.replace(judged, events=())
    assert alarm_figures([judged], row_seconds=900) == {"alarms_per_day": 1.5, "alarms_on_the_worst_day": 2}
    assert alarm_figures([judged, quiet], row_seconds=900)["alarms_per_day"] == 0.75
    assert alarm_figures([judged], row_seconds=0) == {}


@pytest.fixture(scope="module")
def stream() -> DetectorStream:
    """An untrained forecaster with a budget of one alarm in about 100 rows; its errors are numbers all the same."""
    keras.utils.set_random_seed(0)
    settings = {"smoothing_steps": (1,), "warmup_steps": 4, "join_steps": 2, "budget_per_day": 15.0}
    network = forecaster(RecurrentConfig(units=3), channels=2, targets=2, groups=2, settings=settings)
    stream = DetectorStream(network, known_rows())
    stream.calibration.assign({"threshold": np.array([1.5, 1.5])})
    return stream


def known_rows(row_seconds: float = 60.0) -> SensorRows:
    scaler = SeriesScaler(("only",), ("a", "b"), [[0, 0]] * 2, [[1, 1]] * 2)
    reading = {"rules": {"frequency": "1min"}}
    return SensorRows(scaler, ("a", "b"), ("only",), row_seconds=row_seconds, reading=reading)


def table(rows: int = 90) -> Array:
    return np.random.default_rng(5).normal(size=(rows, 2)) * np.linspace(0.7, 2, rows)[:, None]


@functools.lru_cache(maxsize=1)
def compiled(stream: DetectorStream) -> Callable[[tf.Tensor, State], tuple[Flags, State]]:
    @tf.function(autograph=False, reduce_retracing=True)
    def advance(values: tf.Tensor, state: State) -> tuple[Flags, State]:
        return stream.advance(Rows(values, tf.constant([1]), tf.zeros(tf.shape(values)[:2], tf.int64)), state)

    advance.get_concrete_function(
        tf.TensorSpec((1, None, 2), tf.float64),
        {name: tf.TensorSpec(part.shape, part.dtype) for name, part in stream.first_state(1).items()},
    )
    return advance


def run(stream: DetectorStream, sizes: list[int]) -> list[Array]:
    advance = compiled(stream)
    values, state, pieces, start = table(sum(sizes))[None], stream.first_state(1), [], 0
    for size in sizes:
        flags, state = advance(tf.constant(values[:, start : start + size]), state)
        pieces.append(np.stack([flags.score[0], flags.threshold[0], flags.flag[0]], axis=1))
        start += size
    return [*np.concatenate(pieces).T]


def test_the_budget_is_part_of_the_state_of_rows(stream: DetectorStream) -> None:
    """However rows are cut, thresholds are the same: those of the scores of the whole."""
    score, threshold, flag = run(stream, [90])
    np.testing.assert_allclose(threshold, raised_thresholds(score, 1.5, stream.budget), rtol=1e-6)
    assert threshold.max() > 3 and 2 < flag.sum() < (score > 1.5).sum()
    for sizes in ([1] * 90, [7, 40, 1, 42]):
        for whole, cut in zip((score, threshold, flag), run(stream, sizes), strict=True):
            np.testing.assert_allclose(cut, whole, rtol=1e-4, atol=1e-5)


def test_exported_steps_carry_the_budget(stream: DetectorStream) -> None:
    step = detection_endpoints(stream, DetectorExportConfig())["step"]
    assert step.input_signature["state_doublings"].dtype == tf.float64
    state = {name: tf.constant(step.examples[name][:1]) for name in step.input_signature if name.startswith("state_")}
    function, found = tf.function(step.function, autograph=False, reduce_retracing=True), []
    for start, size in ((0, 30), (30, 0), (30, 60)):
        rows = np.full((1, 60, 2), 7.0)
        rows[:, :size] = table()[start : start + size]
        answer = function(rows=tf.constant(rows), lengths=tf.constant([size]), **state)
        found.append(answer["threshold"].numpy()[0, :size])
        state = {name: answer[f"next_{name}"] for name in state}
    np.testing.assert_allclose(np.concatenate(found), run(stream, [90])[1], rtol=1e-4)


def test_stream_tells_begin_end_and_severity_and_goes_on_with_its_budget(
    stream: DetectorStream, tmp_path: Path
) -> None:
    path, lines = tmp_path / "lines.csv", [f"{a:.6f},{b:.6f}\n" for a, b in table()]

    def judged(until: int, memory: StreamMemory, *, only_flags: bool = False) -> list[dict[str, str]]:
        path.write_text("".join(lines[:until]))
        printed = judge_lines(stream, str(path), options=RowOptions(), memory=memory, only_flags=only_flags)
        header = "line,series,score,threshold,flag,sensor,missing,alarm\n"
        return list(csv.DictReader(io.StringIO(header + "".join(line.printed() for line in printed))))

    whole, score = judged(90, StreamMemory()), run(stream, [90])[0]
    parts = []
    for until in (35, 90):
        memory = KeptMemory(tmp_path / "state", {"pipeline": "x", "model": "y"})
        parts += judged(until, memory)
        memory.save()
    assert parts == whole
    # begin: the first flag; end: the third row without one; severity: of the highest score so far by 1.5.
    left, peak, expected = 0, 0.0, []
    for row, line in enumerate(whole):
        flagged = line["flag"] == "1"
        peak = max(peak if left else 0.0, score[row]) if flagged else peak
        left = 3 if flagged else max(left - 1, 0)
        expected.append(severity(peak / 1.5) if left else "")
    assert [line["alarm"] for line in whole] == expected
    assert {"", "minor", "major"} <= set(expected)
    changed = [b["line"] for a, b in itertools.pairwise(whole) if a["alarm"] != b["alarm"] or b["flag"] == "1"]
    assert [line["line"] for line in judged(90, StreamMemory(), only_flags=True)] == changed


def test_a_budget_needs_days_and_a_threshold_that_is_one() -> None:
    config = DetectionConfig(budget_per_day=2)
    with pytest.raises(ConfigError, match=r"budget_per_day needs rows with times.*data\.time"):
        budget_of(config, known_rows(row_seconds=0))
    assert budget_of(CONFIG, known_rows(row_seconds=0)) is None
    budget = budget_of(config, known_rows(row_seconds=900))
    assert budget is not None and budget.alarms_per_row == pytest.approx(2 / DAY_ROWS)
    with pytest.raises(ConfigError, match=r"budget_per_day must be at least 0"):
        DetectionConfig(budget_per_day=-1)
    assert budget_of(dataclasses.replace(config, threshold="dynamic"), known_rows()) is None
    assert "budget_per_day" in DetectionConfig(threshold="dynamic").without_effect()
    assert "budget_per_day" not in DetectionConfig(threshold="extreme_value").without_effect()
