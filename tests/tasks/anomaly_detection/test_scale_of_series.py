"""What a series is measured in, and at which level, changes no score of it nor of another."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.data.series.series import Series, SeriesPart
from rnnapps.tasks.anomaly_detection.batches import training_windows
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.detector_networks import forecaster
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Rows

CHANNELS = ("a", "b", "still")
SETTINGS = dataclasses.asdict(DetectionConfig(warmup_steps=0))


def values_of(factor: float, offset: float) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    table = {name: draw.normal(size=(60, 3)) for name in ("small", "large")}
    for own in table.values():
        own[:, 2] = 4.0
        own[7, 0] = np.nan
    table["large"] = 3e4 * table["large"] + 1e5
    return table | {"small": factor * (table["small"] + offset)}


def scored(factor: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Training inputs and scores of both series."""
    values = values_of(factor, offset)
    names = {"targets": CHANNELS, "series": tuple(values), "calendar": False, "row_seconds": 0.0}
    rows = SensorRows.fit(values, CHANNELS, **names)
    keras.utils.set_random_seed(0)
    network = forecaster(RecurrentConfig(units=4), channels=3, targets=3, groups=3, settings=SETTINGS)
    parts = [SeriesPart(Series(name, None, own, CHANNELS), 0, len(own)) for name, own in values.items()]
    windows = training_windows(network, rows, parts, window_steps=8, batch_size=4, seed=0)
    stream = DetectorStream(network, rows)
    table = tf.constant(np.stack(list(values.values())))
    rows_of_both = Rows(table, tf.constant([1, 2]), tf.zeros((2, 60), tf.int64))
    flags, _ = stream.advance(rows_of_both, stream.first_state(2))
    return np.stack([batch["inputs"]["values"] for batch in windows(0).take(3)]), flags.score.numpy()


@pytest.mark.parametrize("power", [-6, 6])
def test_scores_do_not_depend_on_units_or_levels(power: int) -> None:
    inputs, scores = scored(1.0, 0.0)
    others, changed = scored(10.0**power, 1000.0)
    assert np.abs(inputs[..., :2]).max() > 1
    np.testing.assert_allclose(others, inputs, atol=1e-5)
    np.testing.assert_allclose(changed, scores, rtol=1e-4, atol=1e-5)


def test_rows_without_known_names_share_a_scale() -> None:
    values = {"x": np.array([[0.0], [2.0]]), "y": np.array([[4.0], [6.0]])}
    rows = SensorRows.fit(values, ("amount",), targets=("amount",), series=(), calendar=False, row_seconds=0.0)
    assert rows.scaler.centre.tolist() == [[3.0]]
    scaled, _ = rows.scale(np.array([[[3.0]]]), np.array([0]))
    assert scaled.numpy().item() == 0
    assert rows.scale_array(np.array([[3.0]]), "x")[0].item() == 0
