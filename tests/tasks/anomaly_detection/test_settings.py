"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from rnnapps.tasks.anomaly_detection.baselines import BASELINES
from rnnapps.tasks.anomaly_detection.pipeline import PIPELINE
from rnnapps.testing import PipelineSubject
from tests.tasks.anomaly_detection.watched import write_rows
from tests.tasks.effects import Effects
from tests.tasks.series_changes import series_changes, stream_changes, write_table
from tests.tasks.walk import Change, Changes, walks

ELSEWHERE = (
    *("detection.dynamic_window_steps", "detection.dynamic_stride_steps", "detection.pruning"),
    *("stream most_series", "evaluate detection.missing_steps", "data.label_delay_days"),
)
"""Shown to work in test_dynamic_threshold.py, test_lines.py and test_daily_alerts.py; and silence is told by `predict`,
not scored."""


@pytest.fixture(scope="module", autouse=True)
def few_baselines() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        name = "last value"
        patch.setattr("rnnapps.tasks.anomaly_detection.tuned_baselines.BASELINES", {name: BASELINES[name]})
        yield


@pytest.fixture(scope="module")
def base(subject: PipelineSubject) -> Effects:
    silent = subject.inputs.copy()
    silent.loc[60:75, "double"] = np.nan
    return Effects(dataclasses.replace(subject, inputs=silent))


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = str(write_rows(folder / "other.csv", seed=1))
    labels = folder / "labels.csv"
    labels.write_text("series,first,last\nrows,850,853\nrows,900,930\n")
    moments = {"data.validation_from": "2024-01-01T11:00", "data.test_from": "2024-01-01T14:00"}
    autoencoder = {"model.detector": "autoencoder", "training.window_steps": 128}
    step = np.arange(400)
    times = np.datetime64("2024-01-01T00:00", "m") + step % 200
    two = {"series_id": np.repeat(["a", "b"], 200), "time": times, "angle": np.sin(step), "other": np.cos(step)}
    both = write_table(folder / "both.csv", two)
    return {
        **series_changes(folder, {"data.label": "", "data.calendar": True}, reads=False),
        **stream_changes(folder, ("angle", "double", "noise"), minutes=1),
        "data.entity": Change("shop", {"data.label": "", "model.series_units": 0}),
        "data.targets": Change(["angle"]),
        "data.labels": Change(str(labels), {"data.label": ""}),
        "data.test": Change(other),
        "data.validation_until": Change("2024-01-01T13:00", moments),
        "model.detector": Change("autoencoder", {"training.window_steps": 128}),
        "model.series_units": Change(4, {"data.label": "", "data.source": both}),
        "model.history_steps": Change(16, autoencoder),
        "model.code_units": Change(4, autoencoder),
        "detection.smoothing_steps": Change([2]),
        "detection.risk": Change(0.01, {"detection.threshold": "extreme_value"}),
        "detection.join_steps": Change(200),
        "detection.dynamic_buffer_steps": Change(10, {"detection.threshold": "dynamic"}),
        "input": Change(other, {"input": str(write_rows(folder / "one.csv"))}),
        "series": Change("machine"),
        "picture": Change("picture.png"),
    }


test_repeats, test_setting, test_option = walks(PIPELINE, ELSEWHERE)
