"""A detector judges rows the same, however they are cut; and every known error is what the network did not expect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.config import RecurrentConfig
from rnnapps.preprocessing.series_scaler import SeriesScaler
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.detector_networks import autoencoder, classifier, forecaster
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.streams import DetectorStream, Flags, Rows
from rnnapps.verbs.opening import number_format

SETTINGS = dataclasses.asdict(DetectionConfig(warmup_steps=4, smoothing_steps=(1, 5)))
CELL = RecurrentConfig(cell="gru", units=5)
NAMES = ("a", "b", "c")
TABLE = [[1, 2, 3], [1, 2, 3], [2, 3, 4]]
ROWS = SensorRows(SeriesScaler(("one", "two"), NAMES, TABLE, TABLE), ("a", "c"), ("one", "two"), calendar=True)
TIME = 23


def networks() -> dict[str, Callable[[], keras.Model]]:
    shared = {"channels": 3, "groups": 3, "calendar": ROWS.calendar_features, "series_units": 2, "settings": SETTINGS}
    return {
        "forecaster": lambda: forecaster(CELL, targets=2, horizon_steps=3, **shared),
        "autoencoder": lambda: autoencoder(CELL, targets=2, history_steps=6, code_units=2, **shared),
        "classifier": lambda: classifier(CELL, history_steps=4, **shared),
    }


@pytest.fixture(scope="module", params=["forecaster", "autoencoder", "classifier"])
def stream(request: pytest.FixtureRequest) -> DetectorStream:
    keras.utils.set_random_seed(1)
    stream = DetectorStream(networks()[request.param](), ROWS)
    draw = np.random.default_rng(2)
    stream.calibration.assign({"centre": draw.normal(size=stream.calibration.centre.shape) * 0.1})
    return stream


@pytest.fixture(scope="module")
def rows() -> Rows:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(2, TIME, 3))
    values[0, 5:8, 0] = np.nan
    values[1, 10] = np.nan
    seconds = 1_700_000_000 + 3600 * np.arange(2 * TIME).reshape(2, TIME)
    return Rows(tf.constant(values), tf.constant([1, 2]), tf.constant(seconds, tf.int64))


def in_pieces(stream: DetectorStream, rows: Rows, sizes: list[int]) -> Flags:
    state, pieces, start = stream.first_state(2), [], 0
    for size in sizes:
        part = Rows(rows.values[:, start : start + size], rows.series, rows.seconds[:, start : start + size])
        flags, state = stream.advance(part, state)
        pieces.append(flags)
        start += size
    return Flags(*(tf.concat(parts, axis=1) for parts in zip(*pieces, strict=True)))


def test_row_by_row_equals_all_at_once(stream: DetectorStream, rows: Rows) -> None:
    whole = in_pieces(stream, rows, [TIME])
    for sizes in ([1] * TIME, [1, 2, 20], [7, 7, 9]):
        for name, expected, found in zip(Flags._fields, whole, in_pieces(stream, rows, sizes), strict=True):
            assert np.allclose(expected, found, atol=1e-5), name


def test_series_of_a_batch_may_be_cut_each_in_its_own_way(stream: DetectorStream, rows: Rows) -> None:
    """Behind a row's length lies what another chunk would hold: it leaves no trace, nor does a length of 0."""
    whole, after = stream.advance(rows, stream.first_state(2))
    state, starts, found = stream.first_state(2), np.zeros(2, int), [{}, {}]
    for lengths in ([3, 0], [0, 0], [1, 8], [6, 1], [0, 5], [TIME, TIME]):
        sizes = np.minimum(lengths, TIME - starts)
        places = np.minimum(starts[:, None] + np.arange(max(8, *sizes)), TIME - 1)
        chunk = Rows(
            tf.gather(rows.values, places, batch_dims=1),
            rows.series,
            tf.gather(rows.seconds, places, batch_dims=1),
            tf.constant(sizes, tf.int32),
        )
        flags, state = stream.advance(chunk, state)
        for row in (0, 1):
            for name, value in flags._asdict().items():
                found[row].setdefault(name, []).append(value[row, : sizes[row]])
        starts += sizes
    assert starts.tolist() == [TIME, TIME]
    for row in (0, 1):
        for name, expected in whole._asdict().items():
            assert np.allclose(expected[row], np.concatenate(found[row][name]), atol=1e-5), name
    for name, expected in after.items():
        assert np.allclose(expected, state[name], atol=1e-5), name


def test_a_state_keeps_its_types_in_half_precision(rows: Rows) -> None:
    with number_format("mixed_bfloat16"):
        stream = DetectorStream(networks()["forecaster"](), ROWS)
    before = stream.first_state(2)
    after = stream.advance(rows, before)[1]
    assert {name: part.dtype for name, part in after.items()} == {name: part.dtype for name, part in before.items()}


def test_a_row_does_not_depend_on_those_behind_it_or_beside_it(stream: DetectorStream, rows: Rows) -> None:
    whole = in_pieces(stream, rows, [TIME])
    values = rows.values.numpy()
    values[0, 15:] = 100.0
    values[1] = -50.0
    changed = in_pieces(stream, rows._replace(values=tf.constant(values)), [TIME])
    assert np.allclose(whole.score[0, :15], changed.score[0, :15], atol=1e-5)


def test_shares_are_shares_and_nothing_is_nan(stream: DetectorStream, rows: Rows) -> None:
    flags = in_pieces(stream, rows, [TIME])
    assert all(np.isfinite(each).all() for each in (flags.score, flags.contribution, flags.threshold))
    total = flags.contribution.numpy().sum(axis=-1)
    assert np.all((np.abs(total - 1) < 1e-4) | (total == 0))
    assert flags.contribution.shape[-1] == (3 if stream.kind == "classifier" else 2)
    if stream.kind != "classifier":
        assert not flags.score[:, :4].numpy().any()


def test_forecast_errors_are_the_mean_of_the_forecasts_made_before(rows: Rows) -> None:
    keras.utils.set_random_seed(1)
    network = networks()["forecaster"]()
    stream = DetectorStream(network, ROWS)
    errors, valid, _ = stream.errors(rows, stream.first_state(2))
    scaled, present = ROWS.scale(rows.values, rows.series)
    states = [tf.zeros((2, 5))]
    inputs = {"values": scaled, "present": present, "series": rows.series, "calendar": ROWS.calendar_of(rows.seconds)}
    forecast = network({**inputs, "states": states})["forecast"].numpy()
    watched = scaled.numpy()[:, :, [0, 2]]
    expected = np.mean([watched[:, 9] - forecast[:, 9 - lead, lead - 1] for lead in (1, 2, 3)], axis=0)
    expected[0, 0] = 0  # silent in rows 5 to 7, it is not yet judged in the three rows behind them
    assert np.allclose(errors[:, 9], expected, atol=1e-5)
    assert valid[0, :, 0].numpy().tolist() == [0.0, *[1.0] * 4, *[0.0] * 6, *[1.0] * 12]
    assert np.allclose(errors[:, 1], watched[:, 1] - forecast[:, 0, 0], atol=1e-5)
    assert not valid[:, 0].numpy().any()


def test_rebuilding_errors_are_those_of_each_windows_last_row(rows: Rows) -> None:
    keras.utils.set_random_seed(1)
    network = networks()["autoencoder"]()
    stream = DetectorStream(network, ROWS)
    errors, _, _ = stream.errors(rows, stream.first_state(2))
    scaled, present = ROWS.scale(rows.values, rows.series)
    window = slice(10, 16)
    calendar = ROWS.calendar_of(rows.seconds)[:, window]
    inputs = {"values": scaled[:, window], "present": present[:, window], "series": rows.series, "calendar": calendar}
    expected = scaled[:, 15].numpy()[:, [0, 2]] - network(inputs)["rebuilt"][:, -1].numpy()
    assert np.allclose(errors[:, 15], expected, atol=1e-5)


def test_a_classifier_names_the_value_that_raised_its_odds(rows: Rows) -> None:
    keras.utils.set_random_seed(1)
    network = networks()["classifier"]()
    stream = DetectorStream(network, ROWS)
    flags, _ = stream.advance(rows, stream.first_state(2))
    scaled, present = ROWS.scale(rows.values, rows.series)
    window = slice(11, 15)
    calendar = ROWS.calendar_of(rows.seconds)[:, window]
    others = {"present": present[:, window], "series": rows.series, "calendar": calendar}
    values = scaled.numpy()[:, window]
    logit = network({"values": tf.constant(values), **others})["logit"].numpy()
    raised = []
    for channel in range(3):
        changed = values.copy()
        changed[:, -1, channel] = 0
        raised.append(np.maximum(logit - network({"values": tf.constant(changed), **others})["logit"].numpy(), 0))
    expected = np.stack(raised, axis=-1)
    expected /= np.maximum(expected.sum(axis=-1, keepdims=True), 1e-12)
    assert np.allclose(flags.score[:, 14], 1 / (1 + np.exp(-logit)), atol=1e-5)
    assert np.allclose(flags.contribution[:, 14], expected, atol=1e-3)


def test_no_value_however_wild_makes_nan(stream: DetectorStream, rows: Rows) -> None:
    values = rows.values.numpy()
    values[0, 6] = [3e38, -3e38, 1e20]
    values[1, 3] = [np.inf, -np.inf, 3e38]
    flags = in_pieces(stream, rows._replace(values=tf.constant(values)), [TIME])
    assert all(np.isfinite(each).all() for each in (flags.score, flags.contribution))
