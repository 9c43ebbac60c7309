"""Anomaly detection: learns what is normal in sensors or transactions, and flags what is not.

rnnapps anomaly_detection train --data.source machine.csv --run runs/anomaly_detection/machine
rnnapps anomaly_detection predict --run runs/anomaly_detection/machine --input new.csv
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rnnapps.config import TrainingConfig, require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.given import given_path
from rnnapps.data.large_data import LARGE_DATA_SETTINGS
from rnnapps.data.series.row_options import ROW_OPTIONS, RowOptions
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.tasks.anomaly_detection.data.config import AnomalyDataConfig
from rnnapps.tasks.anomaly_detection.detection_config import DetectionConfig, DetectorModelConfig
from rnnapps.tasks.anomaly_detection.export_config import DetectorExportConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.bad_examples import BadExample
    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.anomaly_detection.data.watched import WatchedSeries
    from rnnapps.tasks.anomaly_detection.findings import AnomalyEvent, ScoredLine, ScoredRow
    from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
    from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows
    from rnnapps.tasks.anomaly_detection.streams import DetectorStream

__all__ = ["PIPELINE", "AnomalyDetection", "Config", "PredictOptions"]


@dataclass(frozen=True)
class Config:
    """A detector.

    Attributes:
        data: where the rows come from.
        model: the network.
        detection: how its errors become scores and flags.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: AnomalyDataConfig = field(default_factory=AnomalyDataConfig)
    model: DetectorModelConfig = field(default_factory=DetectorModelConfig)
    detection: DetectionConfig = field(default_factory=DetectionConfig)
    training: TrainingConfig = field(default_factory=lambda: TrainingConfig(carry_state=False, window_steps=128))
    export: DetectorExportConfig = field(default_factory=DetectorExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks what no part can check alone."""
        require_seed(self.seed)
        if self.model.detector == "classifier" and self.data.targets:
            raise ConfigError("data.targets chooses channels to watch; a classifier judges rows as a whole")
        if self.data.entity and self.model.detector != "classifier" and self.model.series_units:
            raise ConfigError("model.series_units must be 0 with data.entity: new entities come every day")


@dataclass(frozen=True)
class PredictOptions(RowOptions):
    """What to judge.

    Attributes:
        input: table of rows like the training data, a folder of tables, or - for lines from standard input (stream).
        picture: file to draw series, score, threshold and flags into, .png or .svg (predict); empty draws none.
        series: name of the series that lines belong to (stream), where the model knows several.
        only_flags: print flagged lines alone, and those where alarms end, or sensors fall silent or come back (stream).
        rows: every row with its score, threshold and flag, instead of events (predict).
    """

    input: str = "-"
    picture: str = ""
    series: str = ""
    only_flags: bool = False
    rows: bool = False


class AnomalyDetection(Pipeline[Config, "WatchedSeries", "SensorRows"]):
    """Rows in; score, threshold, flag and the sensors behind it out."""

    name: ClassVar[str] = "anomaly_detection"
    summary: ClassVar[str] = "Flags unusual rows of sensors or transactions, and says which sensor made them so."
    config_class = Config
    run_frees: ClassVar[frozenset[str]] = LARGE_DATA_SETTINGS | {"data.test"}
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Watching machines or transactions of the kind the model was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "What was not in the training rows is unusual to it, a new but healthy way of operation too.",
        "Faults present in the training rows are taken as normal, unless they are labelled.",
        "Thresholds hold as long as held-out rows are like those to come; calibrate again when a machine ages.",
        "A flag is a reason to look, not a diagnosis.",
    )
    higher_is_better: ClassVar[frozenset[str]] = frozenset(
        ("auc_pr", "vus_pr", "composite_f1", "event_f05", "event_precision", "event_recall", "average_precision")
    ) | {"roc_auc", "entity_precision_at_100"}
    run_fixes: ClassVar[frozenset[str]] = frozenset({"data", "model", "detection", "seed"})
    evaluate_tries: ClassVar[frozenset[str]] = frozenset({"data", "detection"})
    tabular: ClassVar[tuple[str, ...]] = (
        *("series", "kind", "first_row", "last_row", "first_time", "last_time", "peak_score", "threshold", "severity"),
        "sensors",
    )
    predict_only: ClassVar[frozenset[str]] = frozenset({"picture", "rows"})
    stream_only: ClassVar[frozenset[str]] = frozenset({"series", "only_flags", *ROW_OPTIONS})
    stream_frees: ClassVar[frozenset[str]] = frozenset({"input", "only_flags", *ROW_OPTIONS})
    stream_header: ClassVar[str] = "line,series,score,threshold,flag,sensor,missing,alarm\n"

    def without_effect(self, config: Config) -> Mapping[str, str]:
        """Adds what only forecasts read, and what only detectors of another kind do."""
        detector = config.model.detector
        names: tuple[str, ...] = () if detector == "forecaster" else ("training.window_steps",)
        if detector == "classifier":
            names += tuple(f"detection.{name}" for name in ("scorer", "normalise", "smoothing_steps", "aggregate"))
        else:
            names += ("data.label_delay_days",)
        found = {
            **super().without_effect(config),
            **dict.fromkeys(names, f"model.detector {detector} does not read it"),
        }
        seasons = ("data.season_steps", "data.second_season_steps")
        return {**found, **dict.fromkeys(seasons, "no baseline of detectors repeats a season")}

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.anomaly_detection.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: object = None) -> WatchedSeries:
        """Reads the rows, labels them and splits them in time.

        From Python: a pandas frame or series, an array `(rows, channels)`, or a mapping name -> one of them, each a
        series of its own.
        """
        from rnnapps.tasks.anomaly_detection.data.watched import read_watched

        return read_watched(config.data, given)

    def look(self, config: Config, given: Any = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.anomaly_detection.data_report import look_at_rows

        return look_at_rows(config.data, given)

    def fit_preprocessor(self, config: Config, splits: WatchedSeries) -> SensorRows:
        """Scales, from the training rows only."""
        from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows

        parts = splits.parts
        channels = parts.train[0].series.channels
        return SensorRows.fit(
            _rows_by_name(parts),
            channels,
            method=config.data.scaling,
            **_names(config, parts),
        )

    def load_preprocessor(self, folder: Path) -> SensorRows:
        """The scales and names a run or an export knows."""
        from rnnapps.tasks.anomaly_detection.sensor_rows import SensorRows

        return SensorRows.load(folder)

    def grow_preprocessor(self, config: Config, preprocessor: SensorRows, splits: WatchedSeries) -> SensorRows:
        """Known sensors keep their scales by name; new ones are fitted."""
        parts = splits.parts
        return preprocessor.grow(_rows_by_name(parts), parts.train[0].series.channels, **_names(config, parts))

    def vocabulary_changes(self, network: keras.Model, old: SensorRows, new: SensorRows) -> Sequence[VocabularyChange]:
        """Sensors and series keep their weights by name."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.tasks.anomaly_detection.detector_networks import channel_axes, series_axes, target_axes

        old_series, new_series = (["(unknown)", *rows.series] for rows in (old, new))
        return (
            VocabularyChange(old.channels, new.channels, channel_axes(network)),
            VocabularyChange(old.targets, new.targets, target_axes(network)),
            VocabularyChange(old_series, new_series, series_axes(network)),
        )

    def build_model(self, config: Config, preprocessor: SensorRows) -> keras.Model:
        """Forecaster, autoencoder or classifier."""
        from rnnapps.tasks.anomaly_detection.detector_networks import autoencoder, classifier, forecaster

        model = config.model
        shared: dict[str, Any] = {
            "channels": len(preprocessor.channels),
            "groups": len(preprocessor.series) + 1,
            "calendar": preprocessor.calendar_features,
            "series_units": model.series_units,
            "settings": dataclasses.asdict(config.detection),
        }
        if model.detector == "classifier":
            return classifier(model, history_steps=model.history_steps, **shared)
        shared["targets"] = len(preprocessor.targets)
        if model.detector == "autoencoder":
            return autoencoder(model, history_steps=model.history_steps, code_units=model.code_units, **shared)
        return forecaster(model, horizon_steps=model.horizon_steps, **shared)

    def objective(self, fitted: Fitted[Config, SensorRows], splits: WatchedSeries) -> Objective:
        """Squared error of scaled values, or nats per labelled event; validation also sets the thresholds."""
        from rnnapps.tasks.anomaly_detection.batches import counted_values, detector_loss, training_windows
        from rnnapps.tasks.anomaly_detection.evaluate import calibrate_network
        from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
        from rnnapps.tasks.anomaly_detection.promise import tell_extrapolation
        from rnnapps.tasks.anomaly_detection.streams import DetectorStream

        if fitted.config.training.carry_state:
            raise ConfigError("training.carry_state must be false: detectors learn from windows at random places")
        parts = splits.parts
        tell_extrapolation(parts.validation, fitted.config.detection)
        batches = training_windows(
            fitted.network,
            fitted.preprocessor,
            parts.train,
            window_steps=fitted.config.training.window_steps,
            batch_size=fitted.config.training.batch_size,
            seed=fitted.config.seed,
            hidden_share=fitted.config.model.hidden_share,
        )
        runner = PartRunner(DetectorStream(fitted.network, fitted.preprocessor, fitted.config.detection))
        unit = "nats_per_event" if fitted.network.name == "classifier" else "squared_error"
        return Objective(
            loss=detector_loss(fitted.network),
            batches=batches,
            validate=lambda: {
                f"validation_{name}": value
                for name, value in calibrate_network(runner, parts, fitted.config.detection).items()
            },
            metric=f"validation_{unit}",
            loss_unit=unit,
            time_step="row",
            sequences=sum(map(len, parts.train)) / fitted.config.training.window_steps,
            terms=counted_values,
        )

    def evaluate(self, fitted: Fitted[Config, SensorRows], splits: WatchedSeries) -> Evaluation:
        """Events found and false ones, rankings, delay; or average precision of a classifier; beside baselines."""
        from rnnapps.data.series.series import require_channels
        from rnnapps.tasks.anomaly_detection.evaluate import calibrate_network
        from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
        from rnnapps.tasks.anomaly_detection.streams import DetectorStream
        from rnnapps.tasks.anomaly_detection.verdict import judge_classifier, judge_detector

        parts, detection, seed = splits.parts, fitted.config.detection, fitted.config.seed
        require_channels(parts.series(), fitted.preprocessor.scaler.channels)
        runner = PartRunner(DetectorStream(fitted.network, fitted.preprocessor, detection))
        with runner.stream.calibration.kept():  # the model may be asked to predict afterwards
            if fitted.config.training.refit:
                _calibrated(fitted)  # its validation rows were learned from, so nothing can be fitted to them
            else:
                calibrate_network(runner, parts, detection)
            if fitted.network.name == "classifier":
                return Evaluation(**judge_classifier(runner, parts, seed=seed)._asdict())
            return Evaluation(**judge_detector(runner, parts, detection, kinds=splits.kinds, seed=seed)._asdict())

    def calibrate(self, fitted: Fitted[Config, SensorRows], splits: WatchedSeries) -> bool:
        """Fits scores and thresholds to validation rows, for the settings of `detection`."""
        from rnnapps.data.series.series import require_channels
        from rnnapps.tasks.anomaly_detection.evaluate import calibrate_network
        from rnnapps.tasks.anomaly_detection.over_parts import PartRunner
        from rnnapps.tasks.anomaly_detection.streams import DetectorStream

        require_channels(splits.parts.series(), fitted.preprocessor.scaler.channels)
        if fitted.config.training.refit:
            raise ConfigError("training.refit has learned from the validation rows that thresholds are fitted to")
        runner = PartRunner(DetectorStream(fitted.network, fitted.preprocessor, fitted.config.detection))
        calibrate_network(runner, splits.parts, fitted.config.detection)
        return True

    def with_validation(self, splits: WatchedSeries) -> WatchedSeries:
        """The validation rows at the end of the training rows."""
        return dataclasses.replace(splits, parts=splits.parts.with_validation())

    def endpoints(self, fitted: Fitted[Config, SensorRows]) -> dict[str, Endpoint]:
        """`serving_default` judges windows of raw rows, `step` one row after another."""
        from rnnapps.tasks.anomaly_detection.endpoints import detection_endpoints

        return detection_endpoints(_calibrated(fitted), fitted.config.export)

    def predict(
        self, fitted: Fitted[Config, SensorRows], options: PredictOptions, given: object = None
    ) -> list[AnomalyEvent | ScoredRow | BadExample]:
        """The flagged events of tables, each with the sensors behind it; or all rows with their scores."""
        from rnnapps.tasks.anomaly_detection.detected import detect_in_tables, require_picture
        from rnnapps.tasks.anomaly_detection.like_training import read_like_training

        path, given = given_path(given, options.input)
        if given is None and path == "-":
            raise ConfigError("predict needs --input, a table of rows; stream reads lines from standard input")
        require_picture(options.picture)
        good = GoodExamples.of_inputs(path, noun="tables")
        series = read_like_training(fitted.preprocessor, path, given, good=good)
        found = detect_in_tables(_runner(fitted), series, picture=options.picture, rows=options.rows)
        return [*found, *good.skipped()]

    def stream(
        self, fitted: Fitted[Config, SensorRows], options: PredictOptions, given: object = None
    ) -> Iterator[ScoredLine | ScoredRow]:
        """A line, or a row from Python, judged as soon as it is there."""
        return self.continue_stream(fitted, options, StreamMemory(), given)

    def continue_stream(
        self, fitted: Fitted[Config, SensorRows], options: PredictOptions, memory: StreamMemory, given: object = None
    ) -> Iterator[ScoredLine | ScoredRow]:
        """The same, also of series whose first rows came before."""
        from rnnapps.tasks.anomaly_detection.lines import judge_lines

        path, given = given_path(given, options.input)
        return judge_lines(
            _runner(fitted).stream,
            path,
            options=options,
            memory=memory,
            series=options.series,
            only_flags=options.only_flags,
            given=given,
        )

    def report_sections(
        self, fitted: Fitted[Config, SensorRows], splits: WatchedSeries, samples: Sequence[str]
    ) -> Sequence[Section]:
        """Pictures of held-out series with score, threshold and flags."""
        from rnnapps.tasks.anomaly_detection.detected import detection_section
        from rnnapps.tasks.anomaly_detection.streams import DetectorStream

        parts = splits.parts
        stream = DetectorStream(fitted.network, fitted.preprocessor, fitted.config.detection)
        return [detection_section(stream, parts.test or parts.validation)]


def _runner(fitted: Fitted[Config, SensorRows]) -> PartRunner:
    """What judges rows by the settings the network was built with, compiled once."""
    from rnnapps.tasks.anomaly_detection.over_parts import PartRunner

    return fitted.once("runner", lambda: PartRunner(_calibrated(fitted)))


def _calibrated(fitted: Fitted[Config, SensorRows]) -> DetectorStream:
    """The detector at work, once it is known that its thresholds are those of its settings.

    Raises:
        CheckpointError: they are not, for `evaluate --keep` was stopped half-way.
    """
    from rnnapps.tasks.anomaly_detection.streams import DetectorStream

    stream = DetectorStream(fitted.network, fitted.preprocessor)
    if int(stream.calibration.fitted_for.numpy()) not in (0, fitted.config.detection.digest):
        raise CheckpointError(
            "the thresholds of this model were fitted for other settings of `detection` than its configuration has; "
            "give `evaluate --keep` with the settings that are wanted"
        )
    return stream


def _rows_by_name(parts: Any) -> dict[str, Any]:
    """Training rows of each series."""
    return {part.series.name: part.rows().values for part in parts.train}


def _names(config: Config, parts: Any) -> dict[str, Any]:
    """What the series of a source are called, and how its tables are read."""
    import numpy as np

    from rnnapps.preprocessing.local_clock import LocalClock

    first, zone = parts.train[0].series, config.data.timezone
    steps = [np.diff(part.series.times).astype(np.int64) for part in parts.train if part.series.times is not None]
    found = np.concatenate(steps) if steps else np.zeros(0)
    return {
        "targets": config.data.targets or first.channels,
        "series": () if config.data.entity else tuple(part.series.name for part in parts.train),
        "calendar": config.data.calendar,
        "row_seconds": float(np.median(found)) / 1e9 if len(found) and not config.data.entity else 0.0,
        "clock": LocalClock.of(zone) if config.data.calendar and zone != "UTC" else None,
        "reading": {**dataclasses.asdict(config.data), "rules": dict(first.rules)},
    }


PIPELINE = AnomalyDetection()
