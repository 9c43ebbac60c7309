"""Forecasting: learns from the past of series what comes next, with intervals.

rnnapps forecasting train --data.source load.csv --run runs/forecasting/load
rnnapps forecasting predict --run runs/forecasting/load --input recent.csv
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
from rnnapps.data.given import given_path
from rnnapps.data.large_data import LARGE_DATA_SETTINGS
from rnnapps.data.series.config import SeriesDataConfig
from rnnapps.data.series.row_options import ROW_OPTIONS, RowOptions
from rnnapps.errors import ConfigError
from rnnapps.tasks.forecasting.export_config import ForecastExportConfig
from rnnapps.tasks.forecasting.forecast_config import ForecastModelConfig

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.bad_examples import BadExample
    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.forecasting.forecast import ForecastAfterRow, ForecastStep
    from rnnapps.tasks.forecasting.series_features import SeriesFeatures
    from rnnapps.tasks.forecasting.splits import SeriesSplits

__all__ = ["PIPELINE", "Config", "Forecasting", "PredictOptions"]


@dataclass(frozen=True)
class Config:
    """A forecaster.

    Attributes:
        data: where the series come from.
        model: the network.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: SeriesDataConfig = field(default_factory=SeriesDataConfig)
    model: ForecastModelConfig = field(default_factory=ForecastModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    export: ForecastExportConfig = field(default_factory=ForecastExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)

    def require_room(self) -> None:
        """Raises ConfigError unless held-out rows hold a horizon, and a history both seasons.

        Looking at data asks for neither: it knows of no model.
        """
        (validation, test), steps = self.data.held_out_rows, self.model.horizon_steps
        for name, rows in (("test_rows", test), ("validation_rows", validation)):
            if 0 < rows < steps:
                raise ConfigError(f"data.{name} must be at least model.horizon_steps ({steps:,}), not {rows:,}")
        first, second = self.data.season_steps, self.data.second_season_steps
        if second and self.model.history_steps < first + second:
            raise ConfigError(
                f"data.second_season_steps {second:,} needs a history of both seasons, model.history_steps of at least "
                f"{first + second:,}, not {self.model.history_steps:,}"
            )


@dataclass(frozen=True)
class PredictOptions(RowOptions):
    """What to forecast.

    Attributes:
        input: rows to go on from, a source as for training; rows behind the last measured one tell what is known
            ahead. `-` (stream only) reads CSV lines from standard input.
        series: name of the only series to forecast, empty for all; of a stream, that of rows that name none.
        picture: file for a picture of the forecasts over their history, .png or .svg (predict).
    """

    input: str = ""
    series: str = ""
    picture: str = ""

    def __post_init__(self) -> None:
        """Checks the values."""
        super().__post_init__()
        if self.picture and not self.picture.lower().endswith((".png", ".svg")):
            raise ConfigError(f"picture must be a file that ends in .png or .svg, not {self.picture!r}")


class Forecasting(Pipeline[Config, "SeriesSplits", "SeriesFeatures"]):
    """The past of series in, their future with intervals out."""

    name: ClassVar[str] = "forecasting"
    summary: ClassVar[str] = "Forecasts series: the mean and quantiles of the rows to come, from the rows so far."
    config_class = Config
    run_frees: ClassVar[frozenset[str]] = LARGE_DATA_SETTINGS | {"data.test"}
    predict_class = PredictOptions
    training_lacks: ClassVar[Mapping[str, str]] = {
        "window_steps": "the length of histories is model.history_steps",
        "carry_state": "each history is a sequence of its own",
    }
    intended_use: ClassVar[str] = "Forecasting series of the kind, and the row distance, that the model was trained on."
    evaluation_switches: ClassVar[Mapping[str, str]] = {
        "backtest": "go through the test time in folds; before each, fit the linear baseline and all intervals anew"
    }
    limitations: ClassVar[tuple[str, ...]] = (
        "A forecast continues what the rows so far show; it knows of no event that they, or the covariates, do not.",
        "Intervals hold as often as they did on the validation rows; after a change of regime they may not.",
        "Where a naive or linear forecast scored better on the test rows, use that one.",
    )
    predict_only: ClassVar[frozenset[str]] = frozenset({"picture"})
    stream_only: ClassVar[frozenset[str]] = ROW_OPTIONS
    stream_frees: ClassVar[frozenset[str]] = frozenset({"input", *ROW_OPTIONS})
    settings_before: ClassVar[Mapping[str, Any]] = {"model.blend": "none"}
    tabular: ClassVar[tuple[str, ...]] = ("series", "channel", "step", "time", "mean")

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.forecasting.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: object = None) -> SeriesSplits:
        """Reads the series and splits them in time.

        From Python: a pandas frame or series, an array `(rows, channels)`, or a mapping name -> one of them, each a
        series of its own.
        """
        from rnnapps.tasks.forecasting.splits import split_source

        config.require_room()
        return split_source(config.data, given)

    def look(self, config: Config, given: object = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.forecasting.data_report import look_at_history

        return look_at_history(config.data, config.model, config.training, given)

    def fit_preprocessor(self, config: Config, splits: SeriesSplits) -> SeriesFeatures:
        """Scales, levels and the calendar, from training rows."""
        from rnnapps.tasks.forecasting.preprocessing import fit_features

        return fit_features(config.data, config.model, splits.parts.train)

    def load_preprocessor(self, folder: Path) -> SeriesFeatures:
        """What a run or an export knows of its series."""
        from rnnapps.tasks.forecasting.series_features import SeriesFeatures

        return SeriesFeatures.load(folder)

    def build_model(self, config: Config, preprocessor: SeriesFeatures) -> keras.Model:
        """Encoder, decoder and distribution."""
        from rnnapps.tasks.forecasting.network import forecast_network

        return forecast_network(
            config.model,
            channels=len(preprocessor.scaler.channels),
            covariates=preprocessor.covariate_size,
            static=preprocessor.static_size,
            series=len(preprocessor.series),
        )

    def join(self, fitted: Sequence[Fitted[Config, SeriesFeatures]]) -> keras.Model:
        """The mean of the members' means and quantiles, with intervals of its own."""
        from rnnapps.layers.side_by_side import require_equal
        from rnnapps.tasks.forecasting.network import joined_networks

        models = [own.config.model for own in fitted]
        equal = ("history_steps", "horizon_steps", "quantiles", "own_units", "series_units", "distribution")
        require_equal(models, (*equal, "loss_units", "minimum_history_steps"))
        return joined_networks(models[0], [own.network for own in fitted])

    def objective(self, fitted: Fitted[Config, SeriesFeatures], splits: SeriesSplits) -> Objective:
        """Squared error and pinball loss, or a likelihood, on windows of the training rows."""
        from rnnapps.tasks.forecasting.objective import forecast_objective

        return forecast_objective(
            fitted.config.model,
            fitted.network,
            fitted.preprocessor,
            splits,
            batch_size=fitted.config.training.batch_size,
            seed=fitted.config.seed,
        )

    def evaluate(
        self,
        fitted: Fitted[Config, SeriesFeatures],
        splits: SeriesSplits,
        *,
        backtest: bool = False,
    ) -> Evaluation:
        """Errors of mean and quantiles on held-out windows, beside naive and linear forecasts."""
        from rnnapps.data.series.series import require_channels
        from rnnapps.tasks.forecasting.backtest import backtest as run_backtest
        from rnnapps.tasks.forecasting.evaluation import evaluate_forecasts
        from rnnapps.tasks.forecasting.preprocessing import own_data

        require_channels(splits.parts.series(), fitted.preprocessor.scaler.channels)
        model = (fitted.config.model, fitted.network, fitted.preprocessor)
        taught, note = own_data(fitted.preprocessor, fitted.config.data)
        if backtest:
            return dataclasses.replace(run_backtest(*model, splits), note=note)
        return dataclasses.replace(evaluate_forecasts(*model, splits, taught=taught), note=note)

    def with_validation(self, splits: SeriesSplits) -> SeriesSplits:
        """The validation rows at the end of the training rows."""
        return dataclasses.replace(splits, parts=splits.parts.with_validation())

    def endpoints(self, fitted: Fitted[Config, SeriesFeatures]) -> dict[str, Endpoint]:
        """`serving_default` forecasts raw rows, `tensors` scaled ones, `step` goes on from the rows before."""
        from rnnapps.tasks.forecasting.endpoints import forecast_endpoints

        return forecast_endpoints(
            fitted.network,
            fitted.preprocessor,
            fitted.config.export,
            needed_history=fitted.config.model.needed_history,
        )

    def card_facts(self, fitted: Fitted[Config, SeriesFeatures]) -> Mapping[str, str]:
        """What the network is blended with, and the mean share of each."""
        from rnnapps.tasks.forecasting.blend.fit import mixes, shares_of

        if not mixes(fitted.network):
            return {}
        means = {name: float(share.mean()) for name, share in shares_of(fitted.network).items()}
        told = ", ".join(f"{name} {100 * mean:.0f} %" for name, mean in means.items() if mean >= 0.005)
        return {"mixed of (mean shares)": told}

    def predict(
        self, fitted: Fitted[Config, SeriesFeatures], options: PredictOptions, given: object = None
    ) -> list[ForecastStep | BadExample]:
        """Forecasts behind the last row of each series, for each series, channel and step."""
        from rnnapps.tasks.forecasting.prediction import predict_rows

        source, given = given_path(given, options.input)
        return predict_rows(
            fitted.network,
            fitted.preprocessor,
            source,
            given=given,
            series=options.series,
            picture=options.picture,
        )

    def stream(
        self, fitted: Fitted[Config, SeriesFeatures], options: PredictOptions, given: object = None
    ) -> Iterator[ForecastAfterRow]:
        """A forecast after each row."""
        return self.continue_stream(fitted, options, StreamMemory(), given)

    def continue_stream(
        self,
        fitted: Fitted[Config, SeriesFeatures],
        options: PredictOptions,
        memory: StreamMemory,
        given: object = None,
    ) -> Iterator[ForecastAfterRow]:
        """A forecast after each row, also of series whose first rows came before."""
        from rnnapps.tasks.forecasting.streaming import stream_forecasts

        source, given = given_path(given, options.input)
        yield from stream_forecasts(
            fitted.network,
            fitted.preprocessor,
            source,
            options=options,
            memory=memory,
            series=options.series,
            given=given,
        )

    def grow_preprocessor(self, config: Config, preprocessor: SeriesFeatures, splits: SeriesSplits) -> SeriesFeatures:
        """Keeps the scales of channels known by name; learns those of new ones, and adds series and levels."""
        from rnnapps.tasks.forecasting.preprocessing import grow_features

        return grow_features(preprocessor, config.data, config.model, splits.parts.train)

    def vocabulary_changes(
        self, network: keras.Model, old: SeriesFeatures, new: SeriesFeatures
    ) -> Sequence[VocabularyChange]:
        """Channels, covariates, static features and series keep their weights by name."""
        from rnnapps.tasks.forecasting.vocabularies import vocabulary_changes

        return vocabulary_changes(network, old, new)

    def report_sections(
        self,
        fitted: Fitted[Config, SeriesFeatures],
        splits: SeriesSplits,
        samples: Sequence[str],
    ) -> Sequence[Section]:
        """Forecasts over their history, errors by step of the horizon, and what is left in the residuals."""
        from rnnapps.tasks.forecasting.report import forecast_sections

        return forecast_sections(fitted.config.model, fitted.network, fitted.preprocessor, splits)


PIPELINE = Forecasting()
