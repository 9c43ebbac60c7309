"""Signatures of a forecaster."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint, RowRule
from rnnapps.export.row_rules import YEARS, between, lengths_fit
from rnnapps.printable import name_list
from rnnapps.tasks.forecasting.export_config import ForecastExportConfig
from rnnapps.tasks.forecasting.forecaster import Forecaster
from rnnapps.tasks.forecasting.series_features import SeriesFeatures
from rnnapps.types import Array, Tensor

__all__ = ["forecast_endpoints"]

ROWS, MORE, FEW = 5, 3, 4
MISSING = ("history", "known_history", "known_future", "static")
"""Inputs in which NaN stands for a missing value."""

DEFAULTS = {"series": ""}


def forecast_endpoints(
    network: keras.Model, features: SeriesFeatures, limits: ForecastExportConfig, *, needed_history: int
) -> dict[str, Endpoint]:
    """`serving_default` and `step` take raw rows, `tensors` what the network reads.

    Args:
        network: from `forecast_network`.
        features: scales, levels and the calendar.
        limits: how long a history may be.
        needed_history: rows that `serving_default` asks for at least.
    """
    forecaster = Forecaster(network, features)
    return {
        "serving_default": _serving(forecaster, needed_history, limits.longest_history),
        "tensors": _tensors(forecaster),
        "step": _step(forecaster, limits.longest_history),
    }


def _serving(forecaster: Forecaster, needed_history: int, most: int) -> Endpoint:
    """Raw rows in, a forecast in original units out."""

    def forecast(**rows: Tensor) -> dict[str, Tensor]:
        state = forecaster.advance(forecaster.empty_state(tf.shape(rows["history"])[0]), rows)
        return forecaster.forecast(state, rows)

    steps = forecaster.history_steps + MORE
    lengths = np.array([steps, needed_history, forecaster.history_steps, steps - 1, steps - 2], np.int32)
    return Endpoint(
        forecast,
        {**forecaster.row_inputs(), **forecaster.other_inputs()},
        _examples(forecaster, steps, np.maximum(lengths, needed_history)),
        rules=_row_rules(forecaster, least=needed_history, most=most),
        least_steps=max(needed_history, 1),
        most_steps=dict.fromkeys(forecaster.row_inputs(), most),
        missing=MISSING,
        summary="Raw rows of series in, mean and quantiles of the rows behind them out.",
        meanings=_meanings(forecaster),
        defaults=DEFAULTS,
    )


def _tensors(forecaster: Forecaster) -> Endpoint:
    """What the network reads and writes, scaled."""

    def scaled(**inputs: Tensor) -> dict[str, Tensor]:
        outputs = forecaster.network(inputs, training=False)
        return {name: outputs[name] for name in ("mean", "quantiles")}

    steps = forecaster.history_steps
    rows = {name: tf.constant(array) for name, array in _examples(forecaster, steps, np.full(ROWS, steps)).items()}
    inputs, _ = forecaster.network_inputs(forecaster.advance(forecaster.empty_state(ROWS), rows), rows)
    signature = {name: tf.TensorSpec((None, *value.shape[1:]), value.dtype) for name, value in inputs.items()}
    rules = (between("series", 0, len(forecaster.features.series)),) if "series" in inputs else ()
    return Endpoint(
        scaled,
        signature,
        {name: np.asarray(value) for name, value in inputs.items()},
        rules=rules,
        summary="Windows in units of their own in, mean and quantiles in these units out.",
        meanings=_scaled_meanings(forecaster),
    )


def _step(forecaster: Forecaster, most: int) -> Endpoint:
    """A few more rows, which go on from the rows before them (see `Forecaster`), and the forecast behind them."""
    names = {f"state_{name}": name for name in forecaster.state_sizes}

    def step(**rows: Tensor) -> dict[str, Tensor]:
        state = forecaster.advance({name: rows[key] for key, name in names.items()}, rows)
        return forecaster.forecast(state, rows) | {f"next_{key}": state[name] for key, name in names.items()}

    shapes = {key: (forecaster.history_steps, forecaster.state_sizes[name]) for key, name in names.items()}
    types = {key: forecaster.state_type(name) for key, name in names.items()}
    signature = {key: tf.TensorSpec((None, *shape), types[key]) for key, shape in shapes.items()}
    before = {key: np.zeros((ROWS, *shape), types[key].as_numpy_dtype) for key, shape in shapes.items()}
    examples = _examples(forecaster, FEW, np.array([FEW, 1, 3, 2, 0]))
    return Endpoint(
        step,
        {**forecaster.row_inputs(), **forecaster.other_inputs(), **signature},
        {**examples, **before},
        rules=_row_rules(forecaster, least=0, most=most),
        most_steps=dict.fromkeys(forecaster.row_inputs(), most),
        missing=MISSING,
        summary="The next raw rows of series and the rows before them in, the forecast and the new rows before out.",
        meanings=_meanings(forecaster),
        defaults=DEFAULTS,
        words=_words(forecaster.features),
    )


def _words(features: SeriesFeatures) -> dict[str, Sequence[Sequence[str]]]:
    """The words that the model tells apart, of each column of the inputs that are texts."""
    levels = list(features.categories.values())
    return {
        "series": [features.series],
        "categories_history": levels,
        "categories_future": levels,
        "static_texts": list(features.static_texts.values()),
    }


def _meanings(forecaster: Forecaster) -> dict[str, str]:
    """What inputs and outputs are."""
    features = forecaster.features
    channels, known = name_list(features.scaler.channels), name_list(features.known.channels)
    categories = name_list(tuple(features.categories))
    return {
        "history": f"raw rows (batch, time, channels); NaN where a value is missing; {channels}",
        "last_time": "Unix time of the last row that counts, in seconds (batch,)",
        "known_history": f"columns known ahead, of these rows (batch, time, columns); {known}",
        "known_future": f"the same of the rows to come (batch, horizon, columns); {known}",
        "categories_history": f"columns of words known ahead, of these rows (batch, time, columns); {categories}",
        "categories_future": f"the same of the rows to come (batch, horizon, columns); {categories}",
        "static": f"numbers of the series (batch, columns); {name_list(features.static.channels)}",
        "static_texts": f"words of the series (batch, columns); {name_list(tuple(features.static_texts))}",
        "series": f"name of the series (batch,), or any other; the model knows {name_list(features.series)}",
        "mean": f"expected values (batch, horizon, channels); {channels}",
        "quantiles": f"not exceeded with probability {_levels(forecaster)} (batch, horizon, channels, quantiles)",
    }


def _scaled_meanings(forecaster: Forecaster) -> dict[str, str]:
    """What the network reads and writes."""
    channels = name_list(forecaster.features.scaler.channels)
    return {
        "history": f"rows in units of the window (batch, history, channels), 0 where missing; {channels}",
        "present": "1 where there is a value, else 0 (batch, history, channels)",
        "covariates": "what is known ahead, scaled, of window and horizon (batch, history + horizon, columns)",
        "static": "what the series is, scaled (batch, columns)",
        "series": "number of the series (batch,), 0 for one that training never saw",
        "mean": f"expected values in units of the window (batch, horizon, channels); {channels}",
        "quantiles": f"not exceeded with probability {_levels(forecaster)} (batch, horizon, channels, quantiles)",
    }


def _levels(forecaster: Forecaster) -> str:
    """Probabilities of the quantiles."""
    return ", ".join(f"{level:g}" for level in forecaster.levels)


def _row_rules(forecaster: Forecaster, *, least: int, most: int) -> tuple[RowRule, ...]:
    """What must hold of the number of rows, and of the time of the last."""
    times = (between("last_time", *YEARS),) if forecaster.features.calendar else ()
    return (lengths_fit("history", least=least, most=most), *times)


def _examples(forecaster: Forecaster, steps: int, lengths: Array) -> dict[str, Array]:
    """Synthetic rows: waves around each channel's centre, a missing value among them."""
    features, horizon = forecaster.features, forecaster.horizon_steps
    scaler, known = features.scaler, features.known
    waves = np.sin(np.arange(ROWS)[:, None, None] + np.arange(steps)[None, :, None] / 3)
    history = scaler.centre[0] + scaler.unit[0] * waves
    history = np.round(np.abs(history) * 3) if scaler.method == "none" else history
    history[1, 0, 0] = np.nan
    rows: dict[str, Array] = {"history": history, "lengths": lengths.astype(np.int32)}
    if features.calendar:
        rows["last_time"] = np.array([0, 86_400, 951_782_400, 1_711_846_800, 2_000_000_000], np.int64)
    if known.channels:
        level = known.centre + known.scale * 0.5
        rows["known_history"] = np.broadcast_to(level, (ROWS, steps, len(level))).copy()
        rows["known_future"] = np.broadcast_to(level, (ROWS, horizon, len(level))).copy()
    if features.categories:
        levels = [(column or ("",))[0].encode() for column in features.categories.values()]
        for name, size in (("categories_history", steps), ("categories_future", horizon)):
            rows[name] = np.broadcast_to(np.array(levels, object), (ROWS, size, len(levels))).copy()
    if features.static.channels:
        centre = features.static.centre
        rows["static"] = np.broadcast_to(centre, (ROWS, len(centre))).copy()
    if features.static_texts:
        texts = [column[0].encode() for column in features.static_texts.values()]
        rows["static_texts"] = np.broadcast_to(np.array(texts, object), (ROWS, len(texts))).copy()
    if "series" in forecaster.other_inputs():
        names = [*features.series[: ROWS - 1], *["another"] * ROWS][:ROWS]
        rows["series"] = np.array([name.encode() for name in names], object)
    return rows
