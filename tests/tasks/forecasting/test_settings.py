"""Every setting and every option changes something, or is refused."""

from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.forecasting.pipeline import PIPELINE
from tests.tasks.forecasting.forecasts import wave, write_wave
from tests.tasks.series_changes import series_changes, stream_changes, write_table
from tests.tasks.walk import Change, Changes, walks

ELSEWHERE = ("stream most_series",)
"""Shown to work in tests/tasks/anomaly_detection/test_lines.py, in code that both tasks share."""

HOURS = np.datetime64("2024-03-20T00:00", "m") + 60 * np.arange(60)


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    folder = tmp_path_factory.mktemp("changes")
    other = str(write_wave(folder / "other.csv", wave(seed=1)))
    named = {
        "series_id": ["a"] * 60 + ["b"] * 60,
        "time": [*HOURS, *HOURS],
        "east": wave(120)[:, 0],
        "west": wave(120)[:, 1],
    }
    both = write_table(folder / "both.csv", named)
    return {
        **series_changes(folder, {}, reads=True),
        **stream_changes(folder, ("east", "west"), minutes=60),
        "model.quantiles": Change([0.2, 0.5]),
        "data.second_season_steps": Change(12, {"data.season_steps": 4}),
        "model.holidays": Change("DE"),
        "input": Change(other, {"input": str(write_wave(folder / "one.csv", wave()))}),
        "predict series": Change("b", {"input": both}),
        "stream series": Change("b"),
        "picture": Change("picture.png"),
    }


test_repeats, test_setting, test_option = walks(PIPELINE, ELSEWHERE)
