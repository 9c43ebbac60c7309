"""A trained forecaster in original units: rows go into a state, and a forecast comes out of it, inside the graph."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

from rnnapps.layers.side_by_side import first_of
from rnnapps.tasks.forecasting.series_features import LARGEST, SeriesFeatures
from rnnapps.tasks.forecasting.window_units import WindowUnits
from rnnapps.types import NamedTensors, Tensor

__all__ = ["Forecaster"]


@dataclass(frozen=True)
class Forecaster:
    """A network and what it knows of its series.

    The state is what the network reads of the last `history_steps` rows, all zero before the first row; so any way of
    handing the rows over, all at once or one by one, gives the same forecast. It cannot be the states of the recurrent
    layers, though these read forwards: they begin at zero at the first row of each window. With every new row the
    window, and with it that first row, moves on by one; its segments are cut anew; and what all its rows are measured
    in, the mean and deviation of this very window, changes. A state carried from row to row would have read other
    numbers over another past: another model than the one that was trained and calibrated.

    Attributes:
        network: from `forecast_network`.
        features: scales, levels and the calendar.
    """

    network: keras.Model
    features: SeriesFeatures

    @property
    def history_steps(self) -> int:
        """Rows that a forecast looks back on."""
        return int(self.network.input["history"].shape[1])

    @property
    def horizon_steps(self) -> int:
        """Rows of a forecast."""
        return int(self.network.output["mean"].shape[1])

    @property
    def levels(self) -> tuple[float, ...]:
        """Probabilities of the quantiles."""
        return tuple(first_of(self.network).get_layer("distribution").quantiles)

    @property
    def state_sizes(self) -> dict[str, int]:
        """Columns of each part of the state, each `(batch, history, columns)`.

        "history" holds raw values in float64, since the unit of a window is known only once it is there; all others are
        float32.
        """
        channels = len(self.features.scaler.channels)
        sizes = {"history": channels, "present": channels}
        return sizes | ({"covariates": self.features.covariate_size} if self.features.covariate_size else {})

    def row_inputs(self) -> dict[str, tf.TensorSpec]:
        """What is said of each row: name -> `(batch, time, ...)`."""
        features = self.features
        specs = {"history": tf.TensorSpec((None, None, len(features.scaler.channels)), tf.float64)}
        if features.known.channels:
            specs["known_history"] = tf.TensorSpec((None, None, len(features.known.channels)), tf.float64)
        if features.categories:
            specs["categories_history"] = tf.TensorSpec((None, None, len(features.categories)), tf.string)
        return specs

    def other_inputs(self) -> dict[str, tf.TensorSpec]:
        """What is said once for each forecast: the time, the covariates of the horizon, and the series."""
        features, horizon = self.features, self.horizon_steps
        specs = {"lengths": tf.TensorSpec((None,), tf.int32)}
        if features.calendar:
            specs["last_time"] = tf.TensorSpec((None,), tf.int64)
        if features.known.channels:
            specs["known_future"] = tf.TensorSpec((None, horizon, len(features.known.channels)), tf.float64)
        if features.categories:
            specs["categories_future"] = tf.TensorSpec((None, horizon, len(features.categories)), tf.string)
        if features.static.channels:
            specs["static"] = tf.TensorSpec((None, len(features.static.channels)), tf.float64)
        if features.static_texts:
            specs["static_texts"] = tf.TensorSpec((None, len(features.static_texts)), tf.string)
        if len(features.series) > 1:
            specs["series"] = tf.TensorSpec((None,), tf.string)
        return specs

    def empty_state(self, batch_size: Tensor | int) -> dict[str, Tensor]:
        """The state before the first row."""
        return {
            name: tf.zeros((batch_size, self.history_steps, size), self.state_type(name))
            for name, size in self.state_sizes.items()
        }

    def state_type(self, name: str) -> tf.DType:
        """The type of a part of the state."""
        return tf.float64 if name == "history" else tf.float32

    def advance(self, state: NamedTensors, rows: NamedTensors) -> dict[str, Tensor]:
        """Puts rows into the state.

        Args:
            state: parts `(batch, history, columns)`.
            rows: `row_inputs` and `other_inputs`; the first `lengths` rows of each window count, what lies behind them
                has no influence. "last_time" is that of the last of them.

        Returns:
            The new state.
        """
        values, lengths = rows["history"], rows["lengths"]
        steps = tf.shape(values)[1]
        present = tf.abs(values) <= LARGEST
        new = {"history": tf.where(present, values, tf.zeros_like(values)), "present": tf.cast(present, tf.float32)}
        if "covariates" in state:
            distance = tf.cast(tf.range(steps)[None, :] - lengths[:, None] + 1, tf.int64)
            new["covariates"] = self._covariates(
                rows.get("known_history"), rows.get("categories_history"), rows.get("last_time"), distance
            )
        # Of old rows and new ones in one line, the `history_steps` that end with the last valid one begin at `lengths`.
        places = lengths[:, None] + tf.range(self.history_steps)[None, :]
        return {
            name: tf.ensure_shape(
                tf.gather(tf.concat([state[name], new[name]], axis=1), places, batch_dims=1),
                (None, self.history_steps, size),
            )
            for name, size in self.state_sizes.items()
        }

    def forecast(self, state: NamedTensors, rows: NamedTensors) -> dict[str, Tensor]:
        """Mean and quantiles of the horizon in original units.

        Args:
            state: after the last row.
            rows: `other_inputs`.

        Returns:
            "mean" `(batch, horizon, channels)` and "quantiles" `(batch, horizon, channels, quantiles)`, float64.
        """
        inputs, units = self.network_inputs(state, rows)
        outputs = self.network(inputs, training=False)
        return self.features.in_data_units(outputs, units)

    def network_inputs(self, state: NamedTensors, rows: NamedTensors) -> tuple[dict[str, Tensor], WindowUnits]:
        """The network's inputs for a state, and the units of its windows."""
        ids = self.features.series_ids(rows.get("series", tf.fill([tf.shape(state["history"])[0]], "")))
        # Beyond LARGEST, so that it counts as missing; a number, since converters multiply by 0 what is not chosen.
        missing = tf.constant(1e300, tf.float64)
        values = tf.where(state["present"] > 0, state["history"], missing)
        own = first_of(self.network).get_layer("normalization").mode != "none" and self.features.scaler.method != "none"
        inputs, units = self.features.read(values, ids, own_units=own)
        if "covariates" in state:
            ahead = tf.range(1, self.horizon_steps + 1, dtype=tf.int64)[None, :]
            future = self._covariates(
                rows.get("known_future"), rows.get("categories_future"), rows.get("last_time"), ahead
            )
            future = tf.broadcast_to(future, (tf.shape(state["history"])[0], *future.shape[1:]))
            inputs["covariates"] = tf.concat([state["covariates"], future], axis=1)
        if self.features.static_size:
            inputs["static"] = self.features.static_features(rows.get("static"), rows.get("static_texts"))
        if "series" in self.network.input:
            inputs["series"] = ids
        return inputs, units

    def _covariates(
        self, known: Tensor | None, categories: Tensor | None, last_time: Tensor | None, distance: Tensor
    ) -> Tensor:
        """The covariates of rows at distances `(batch or 1, rows)` from the last one."""
        local = None
        if self.features.calendar and self.features.frequency:
            local = self.features.calendar.steps_from(last_time, distance, self.features.frequency)
        levels = [] if categories is None else self.features.level_indicators(categories)
        return self.features.covariates(known, levels, local)
