"""A detector at work: raw rows and a state in; errors, and the state after them, out. Any division of rows is the same.

Forecasters carry the state of their recurrent layers and their last forecasts; autoencoders and classifiers carry the
rows of their window.
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf

from rnnapps.tasks.anomaly_detection.alarm_budget import AlarmState, budget_of, keep_budget
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig
from rnnapps.tasks.anomaly_detection.detector_networks import forecast_rows
from rnnapps.tasks.anomaly_detection.scores import (
    Averages,
    Scores,
    channel_errors,
    first_averages,
    join,
    smooth,
    widen_levels,
)
from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
from rnnapps.tasks.anomaly_detection.silence import Silence, follow_silence
from rnnapps.types import Array, NamedTensors, Size, Tensor

__all__ = ["DetectorStream", "Flags", "Rows", "State"]

State = dict[str, Tensor]
"""What a detector remembers of each series, by name; every tensor leads with the batch."""


class Rows(NamedTuple):
    """Rows of several series at once.

    Attributes:
        values: raw values, float64 `(batch, time, channels)`, NaN where missing.
        series: int32 `(batch,)`, numbers of `SensorRows.group`.
        seconds: Unix times, int64 `(batch, time)`; without influence where there is no calendar.
        lengths: int32 `(batch,)`, rows of each series that count; what lies behind them leaves no trace in the state.
            All of them when None, which costs less.
        missing_from: values of at least this size are missing, too.
    """

    values: Tensor | Array
    series: Tensor | Array
    seconds: Tensor | Array
    lengths: Tensor | Array | None = None
    missing_from: float = float("inf")

    @property
    def inside(self) -> Tensor | None:
        """Bool `(batch, time)`, True where a row counts; None where all do."""
        if self.lengths is None:
            return None
        one = self.values.shape[1] == 1
        return tf.greater(self.lengths, 0)[:, None] if one else tf.sequence_mask(self.lengths, self.time)

    @property
    def time(self) -> Size:
        """Number of rows, those that do not count among them."""
        known: int | None = self.values.shape[1]
        return tf.shape(self.values)[1] if known is None else known

    def present(self, inside: Tensor | None) -> Tensor:
        """Bool `(batch, time, channels)`, True where there is a value in a row that is `inside`."""
        known = tf.abs(self.values) < self.missing_from  # which neither NaN nor infinity is
        return known if inside is None else known & inside[..., None]

    @property
    def counts(self) -> Tensor:
        """Rows of each series that count, a number or int32 `(batch,)`."""
        return self.time if self.lengths is None else self.lengths

    def last_of(self, lines: Tensor, steps: int) -> Tensor:
        """Of lines `(batch, steps + time, ...)`, old ones before those of these rows, the `steps` last that count."""
        if self.lengths is None:
            return lines[:, tf.shape(lines)[1] - steps :]
        return tf.gather(lines, self.lengths[:, None] + tf.range(steps), batch_dims=1)


class Flags(NamedTuple):
    """What each row gets.

    Attributes:
        score: `(batch, time)`; 0 in the first rows of a series, until the state has settled.
        threshold: `(batch, time)`.
        flag: bool `(batch, time)`, score above threshold.
        contribution: share of each watched channel `(batch, time, targets)`.
        missing: bool `(batch, time, channels)`, True where a channel is silent for unusually long.
        silent: bool `(batch, time)`, True where all channels together are.
    """

    score: Tensor | Array
    threshold: Tensor | Array
    flag: Tensor | Array
    contribution: Tensor | Array
    missing: Tensor | Array
    silent: Tensor | Array


class _Seen(NamedTuple):
    """Rows as the network reads them, and who is silent; all but the last two `(batch, time, channels)`.

    Attributes:
        values: scaled, 0 where missing.
        present: 1 where there is a value, else 0.
        silence: of each row.
        out: bool, True where a channel is unusually silent or has not settled since.
        after: the state of it after the last row.
        inside: bool `(batch, time)`, True where a row counts; None where all do.
    """

    values: Tensor
    present: Tensor
    silence: Silence
    out: Tensor
    after: State
    inside: Tensor | None


class DetectorStream:
    """Runs a detector's network over rows.

    Args:
        network: one of `rnnapps.tasks.anomaly_detection.detector_networks`.
        rows: what it knows of channels and series.
        config: how errors become scores; the settings the network was built with when None.

    Raises:
        ConfigError: a budget of alarms a day where nobody knows how many rows a day has.
    """

    def __init__(self, network: keras.Model, rows: SensorRows, config: DetectionConfig | None = None) -> None:
        self.network, self.rows, self.kind = network, rows, network.name
        self.calibration = network.get_layer("calibration")
        settings = self.calibration.settings
        spans = {"smoothing_steps": tuple(settings.get("smoothing_steps", (1,)))}
        self.config = config or DetectionConfig(**{**settings, **spans})
        self.targets = len(rows.channels) if self.kind == "classifier" else len(rows.targets)
        self.budget = budget_of(self.config, rows, probabilities=self.kind == "classifier")

    def first_state(self, batch: Tensor | int) -> State:
        """The state before the first row of each of `batch` series; every tensor leads with the batch."""
        channels = len(self.rows.channels)
        state: State = {"rows_seen": tf.zeros([batch], tf.int32)}
        state |= {name: tf.zeros([batch, channels], tf.int32) for name in Silence._fields}
        if self.kind == "forecaster":
            inputs = self.network.input["states"]
            for number, part in enumerate(inputs):
                state[str(number)] = tf.zeros([batch, *part.shape[1:]], part.dtype)
            horizon = self.network.output["forecast"].shape[2]
            state["forecasts"] = tf.zeros([batch, horizon, horizon, self.targets])
        else:
            before = [batch, self.history - 1, len(self.rows.channels)]
            state |= {"values": tf.zeros(before), "present": tf.zeros(before)}
            if self.rows.calendar:
                state["calendar"] = tf.zeros([batch, self.history - 1, self.rows.calendar_features])
        if self.kind != "classifier":
            averages = first_averages(batch, self.config, self.targets)
            state |= {"averages": averages.sums, "average_weights": averages.weights}
        if self.budget:
            state |= {"doublings": tf.zeros([batch], tf.float64), "open_rows": tf.zeros([batch], tf.int32)}
        return state

    def calibrated_threshold(self, series: str) -> float:
        """The threshold of a series' held-out scores, whatever a budget makes of it."""
        return float(self.calibration.threshold.numpy()[self.rows.group(series)])

    @property
    def history(self) -> int:
        """Rows a window network sees."""
        return int(self.network.input["values"].shape[1])

    def advance(self, rows: Rows, state: State, *, explain: bool = True) -> tuple[Flags, State]:
        """Judges rows.

        Args:
            rows: the next rows of each series.
            state: what came before them.
            explain: whether to ask what each channel contributes, which costs a classifier a run for each of them;
                without, its contributions are 0.

        Returns:
            What each row gets, and the state after the last.
        """
        calibration, seen = self.calibration.values(), self._see(rows, state)
        if self.kind == "classifier":
            scores, after = self._classify(rows, seen, state, explain=explain)
        else:
            errors, valid, after = self._errors(rows, seen, state)
            heights = channel_errors(errors, valid, calibration=calibration, group=rows.series, config=self.config)
            smoothed, averages = smooth(
                heights, valid, Averages(state["averages"], state["average_weights"]), self.config
            )
            smoothed = widen_levels(smoothed, tf.cast(seen.out, tf.float32), calibration["widening"])
            scores = join(smoothed, valid, calibration=calibration, group=rows.series, config=self.config)
            after |= {"averages": averages.sums, "average_weights": averages.weights}
        flags, alarms = self._flags(scores, rows, state, calibration=calibration, seen=seen)
        return flags, after | alarms

    def _flags(
        self, scores: Scores, rows: Rows, state: State, *, calibration: NamedTensors, seen: _Seen
    ) -> tuple[Flags, State]:
        """Scores beside their thresholds, and what is known of alarms.

        Nothing is flagged before the state of a series has settled.
        """
        places = state["rows_seen"][:, None] + tf.range(rows.time)
        warmup = 0 if self.kind == "classifier" else self.config.warmup_steps
        settled = tf.cast(places >= warmup, tf.float32)
        score = scores.score * settled
        calibrated = tf.gather(calibration["threshold"], rows.series)
        threshold, alarms = calibrated[:, None] + tf.zeros_like(score), {}
        if self.budget:
            before = AlarmState(state["doublings"], state["open_rows"])
            threshold, known = keep_budget(score, calibrated, before, self.budget, inside=seen.inside)
            alarms = known._asdict()
        absent, least = seen.silence.absent, self.config.missing_steps
        missing = absent >= tf.constant([max(least, gap + 1) for gap in self.rows.usual_gaps])
        silent = tf.reduce_min(absent, axis=-1) >= max(least, self.rows.longest_silence + 1)
        contribution = scores.contribution * settled[..., None]
        return Flags(score, threshold, score > threshold, contribution, missing, silent), alarms

    def _see(self, rows: Rows, state: State) -> _Seen:
        """Scales rows, and follows who is silent."""
        inside = rows.inside
        values, present = self.rows.scale(rows.values, rows.series, rows.present(inside))
        silence, out, after = follow_silence(
            present,
            Silence(state["absent"], state["unsettled"]),
            usual=self.rows.usual_gaps,
            settling_steps=self.config.warmup_steps,
            inside=inside,
        )
        return _Seen(values, present, silence, out, after._asdict(), inside)

    def errors(self, rows: Rows, state: State) -> tuple[Tensor, Tensor, State]:
        """What the network did not expect: errors, and where they exist, `(batch, time, targets)`; and the state."""
        return self._errors(rows, self._see(rows, state), state)

    def _errors(self, rows: Rows, seen: _Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """The same of rows that were seen; a channel that is out has no error."""
        made = self._forecast_errors if self.kind == "forecaster" else self._rebuilding_errors
        errors, valid, after = made(rows, seen, state)
        valid *= 1 - tf.cast(self._watched(seen.out), tf.float32)
        return errors * valid, valid, after | seen.after

    def _rebuilding_errors(self, rows: Rows, seen: _Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """What the last row of each window was more than it was rebuilt."""
        windows, after = self._windows(rows, seen, state)
        rebuilt = self._apply(windows)["rebuilt"][:, -1]
        shape = tf.shape(seen.values)
        rebuilt = tf.reshape(rebuilt, [shape[0], shape[1], self.targets])
        valid = self._watched(seen.present)
        return (self._watched(seen.values) - rebuilt) * valid, valid, after

    def _watched(self, values: Tensor) -> Tensor:
        """Those of the watched channels, of `(..., channels)`."""
        places = self.rows.target_places
        return values if places == list(range(len(self.rows.channels))) else tf.gather(values, places, axis=-1)

    def _forecast_errors(self, rows: Rows, seen: _Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """The mean, over all forecasts of a row, of what it was more than forecast."""
        inputs = {"values": seen.values, "present": seen.present, "series": rows.series}
        if self.rows.calendar:
            inputs["calendar"] = self.rows.calendar_of(rows.seconds)
        inputs["states"] = [state[str(number)] for number in range(len(self.network.input["states"]))]
        outputs = forecast_rows(self.network, inputs, seen.inside)
        # (batch, horizon + time, leads, targets): at t stands what was said after row t - horizon of these rows.
        forecasts = tf.concat([state["forecasts"], outputs["forecast"]], axis=1)
        horizon, time = self.network.output["forecast"].shape[2], rows.time
        actual, valid = self._watched(seen.values), self._watched(seen.present)
        before = state["rows_seen"][:, None] + tf.range(time)
        total, count = tf.zeros_like(actual), tf.zeros_like(actual)
        for lead in range(1, horizon + 1):
            made = forecasts[:, horizon - lead : horizon - lead + time, lead - 1]
            exists = tf.cast(before >= lead, tf.float32)[..., None] * valid
            total += exists * (actual - made)
            count += exists
        after = {"rows_seen": state["rows_seen"] + rows.counts, "forecasts": rows.last_of(forecasts, horizon)}
        # Layers of half precision give states of it; a state has one type, whatever the layers compute in.
        after |= {str(number): tf.cast(part, state[str(number)].dtype) for number, part in enumerate(outputs["states"])}
        return tf.math.divide_no_nan(total, count), tf.minimum(count, 1.0), after

    def _windows(self, rows: Rows, seen: _Seen, state: State) -> tuple[dict[str, Tensor], State]:
        """The window that ends at each row, `(batch * time, history, ...)`, and the state after the last."""
        parts = {"values": seen.values, "present": seen.present}
        if self.rows.calendar:
            parts["calendar"] = self.rows.calendar_of(rows.seconds)
        shape, history = tf.shape(seen.values), self.history
        joined = {name: tf.concat([state[name], part], axis=1) for name, part in parts.items()}
        places = tf.range(shape[1])[:, None] + tf.range(history)  # (time, history): the rows of each window
        windows = {
            name: tf.reshape(tf.gather(part, places, axis=1), [shape[0] * shape[1], history, parts[name].shape[-1]])
            for name, part in joined.items()
        }
        windows["series"] = tf.repeat(rows.series, shape[1])
        after = {name: rows.last_of(part, history - 1) for name, part in joined.items()}
        return windows, after | {"rows_seen": state["rows_seen"] + rows.counts}

    def _apply(self, windows: NamedTensors) -> dict[str, Tensor]:
        """The network's outputs."""
        outputs: dict[str, Tensor] = self.network(windows, training=False)
        return outputs

    def _classify(self, rows: Rows, seen: _Seen, state: State, *, explain: bool) -> tuple[Scores, State]:
        """Probabilities, and by how much each channel's last value raised the log odds above those of its mean."""
        windows, after = self._windows(rows, seen, state)
        after |= seen.after
        shape, channels = tf.shape(seen.values), len(self.rows.channels)
        logit = self._apply(windows)["logit"]
        size = [shape[0], shape[1]]
        score = tf.reshape(tf.sigmoid(logit), size)
        if not explain:
            return Scores(score, tf.zeros([*size, channels])), after
        without = []
        for channel in range(channels):
            keep = 1 - tf.one_hot(channel, channels)
            changed = tf.concat([windows["values"][:, :-1], windows["values"][:, -1:] * keep], axis=1)
            without.append(self._apply({**windows, "values": changed})["logit"])
        raised = tf.nn.relu(logit[:, None] - tf.stack(without, axis=-1))
        share = tf.math.divide_no_nan(raised, tf.reduce_sum(raised, axis=-1, keepdims=True))
        return Scores(score, tf.reshape(share, [*size, channels])), after
