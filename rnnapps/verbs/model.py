"""A trained model as Python users hold it: the verbs of the command line as methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Configuration, Preprocessor
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.verbs import settings
from rnnapps.verbs.configure import configure, read_configuration, read_options
from rnnapps.verbs.data import MEMORY, read_examples
from rnnapps.verbs.opening import OpenModel, open_model, require_folder
from rnnapps.verbs.pipelines import find_configuration, find_pipeline
from rnnapps.verbs.runs import new_run_path
from rnnapps.verbs.saved import saved_configuration

if TYPE_CHECKING:
    import keras

    from rnnapps.verbs.train import Trained

__all__ = ["Model", "load", "train"]

ConfigT = TypeVar("ConfigT", bound=Configuration)
SplitsT = TypeVar("SplitsT", bound=Splits)
PreprocessorT = TypeVar("PreprocessorT", bound=Preprocessor)


class Model(Generic[ConfigT, SplitsT, PreprocessorT]):
    """A trained model: of a run folder, or of an export.

    What inputs and data may be given, and what results are, is said by the page of the task; the settings are those of
    the command line.

    Args:
        pipeline: the application.
        opened: what was loaded or trained.
        splits: the data, where they are at hand; else they are read when they are needed.
    """

    def __init__(
        self, pipeline: Pipeline[ConfigT, SplitsT, PreprocessorT], opened: OpenModel, splits: SplitsT | None = None
    ) -> None:
        self.pipeline = pipeline
        self._opened = opened
        self._splits = splits

    def __repr__(self) -> str:
        return f"<rnnapps.Model {self.pipeline.name} of {self.path}>"

    @property
    def path(self) -> Path:
        """The run folder, or the folder of the export."""
        return self._opened.path

    @property
    def config(self) -> ConfigT:
        """Its settings."""
        config: ConfigT = self._opened.fitted.config
        return config

    @property
    def preprocessor(self) -> PreprocessorT:
        """What turns raw examples into tensors."""
        preprocessor: PreprocessorT = self._opened.fitted.preprocessor
        return preprocessor

    @property
    def network(self) -> keras.Model:
        """The Keras model, with its best weights."""
        return self._opened.fitted.network

    @property
    def card(self) -> str:
        """What a person must know before using it: data, intended use, limitations and scores, as Markdown."""
        from rnnapps.reports.model_card import render_model_card
        from rnnapps.verbs.model_card import describe_model

        return render_model_card(describe_model(self.pipeline, self._opened), signatures={}, versions={})

    def predict(self, inputs: Any = None, **options: Any) -> Any:
        """Finished results.

        Args:
            inputs: one input, or a sequence of them; None takes what the options name, as the command line does.
            options: those of the command line's `predict`.

        Returns:
            A result for a single input, a list of them for several; or a pandas frame, where results are rows.

        Raises:
            ConfigError: an option does not exist or does not fit.
            DataError: an input is not what was expected.
        """
        results = self.pipeline.predict(self._opened.fitted, read_options(self.pipeline, options), inputs)
        if self.pipeline.tabular:
            return _frame(results)
        single = inputs is not None and not _is_several(inputs) and len(results) == 1
        return results[0] if single else list(results)

    def stream(self, inputs: Any = None, **options: Any) -> Iterator[Any]:
        """Pieces of the result as soon as they exist; arguments and errors as in `predict`."""
        yield from self.pipeline.stream(self._opened.fitted, read_options(self.pipeline, options), inputs)

    def evaluate(self, data: Any = None, *, switches: Sequence[str] = (), **changes: Any) -> Evaluation:
        """Scores the model on held-out data, beside its baselines; the model's own data by default.

        Args:
            data: as in `rnnapps.train`.
            switches: those of the command line's `evaluate` without value, such as "tune".
            changes: settings, as in `rnnapps.train`.
        """
        from rnnapps.verbs.evaluate import evaluate

        for name in switches:
            if name not in self.pipeline.evaluation_switches:
                known = ", ".join(self.pipeline.evaluation_switches) or "none"
                raise ConfigError(f"{self.pipeline.name} has no switch {name!r} of evaluate; there are {known}")
        model, splits = self._changed(changes), self._splits
        if data is not None or changes or splits is None:
            config, given = _with_data(self.pipeline, settings.flatten(model.fitted.config), data, {})
            splits = read_examples(self.pipeline, config, given)
        keep = data is None and not changes
        return evaluate(self.pipeline, model, splits, switches=switches, keep=keep)

    def export(self, to: str | Path, **changes: Any) -> Path:
        """Writes the next version of a served model, verified before it appears.

        Args:
            to: the folder of versions, such as `saved_models/book`.
            changes: settings, as in `rnnapps.train`.

        Returns:
            The version folder.
        """
        from rnnapps.export.workplace import check_destination
        from rnnapps.verbs.export import export

        check_destination(Path(to))
        return export(self.pipeline, self._changed(changes), Path(to))

    def finetune(
        self, data: Any = None, *, run: str | Path | None = None, freeze: Sequence[str] = (), **changes: Any
    ) -> Model[ConfigT, SplitsT, PreprocessorT]:
        """Trains on from these weights, on other data.

        Args:
            data: as in `rnnapps.train`.
            run: the folder of the new run; by default one named after the moment.
            freeze: layers that keep their weights.
            changes: settings that differ from this model's, as in `rnnapps.train`.

        Returns:
            The new model.
        """
        from rnnapps.verbs.train import finetune

        config, given = _with_data(self.pipeline, settings.flatten(self.config), data, changes)
        path = Path(run) if run else new_run_path(self.pipeline, config)
        return _model(
            self.pipeline,
            finetune(self.pipeline, config, path, source=self.path, freeze=tuple(freeze), given=given),
        )

    def _changed(self, changes: Mapping[str, Any]) -> OpenModel:
        """The model with other settings, the weights being the same."""
        if not changes:
            return self._opened
        config = configure(self.pipeline, settings.flatten(self.config), changes)
        return open_model(self.pipeline, self.path, config)


def load(path: str | Path) -> Model[Any, Any, Any]:
    """Loads a trained model.

    Args:
        path: a run folder, a version folder of an export, or a folder of versions, whose newest one is taken.

    Raises:
        CheckpointError: it is none of them, or holds no state yet.
        ExportError: a file of the export is missing or was changed.
        ConfigError: its pipeline is not installed.
    """
    folder = Path(path)
    require_folder(folder)
    file = saved_configuration(folder)
    if file is None:
        raise CheckpointError(f"{folder}: holds no configuration; name a run folder or an exported model")
    pipeline = find_pipeline(settings.read_pipeline_name(file))
    config = configure(pipeline, read_configuration(pipeline, folder), {})
    return Model(pipeline, open_model(pipeline, folder, config))


def train(
    pipeline: str | Pipeline[Any, Any, Any],
    data: Any = None,
    *,
    run: str | Path | None = None,
    config: str | Path | None = None,
    **changes: Any,
) -> Model[Any, Any, Any]:
    """Trains a model, or goes on with the run if its folder exists.

    Args:
        pipeline: a name that `rnnapps list` shows, or a pipeline.
        data: where the examples come from: a source as for `--data.source` (a text or a path), or the examples
            themselves as the page of the task describes them, or a mapping of settings of the group `data` whose
            `source` is one of both. None takes what the settings say, built-in data by default.
        run: the run folder; by default one named after the moment, `runs/<pipeline>/<cell>-<date>-<time>`.
        config: a YAML file of settings, or the name of a shipped one.
        changes: settings: a group by its name (`model={"cell": "lstm"}`), or one of the group `training`, or the seed,
            by its bare name (`steps=500`).

    Raises:
        RnnappsError: of the kind that fits.
    """
    from rnnapps.verbs.train import train as train_run

    task = find_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    base = read_configuration(task, find_configuration(task, str(config))) if config else {}
    settled, given = _with_data(task, base, data, changes)
    path = Path(run) if run else new_run_path(task, settled)
    return _model(task, train_run(task, settled, path, given=given))


def _model(pipeline: Pipeline[Any, Any, Any], trained: Trained) -> Model[Any, Any, Any]:
    return Model(pipeline, trained.model, trained.splits)


def _with_data(
    pipeline: Pipeline[Any, Any, Any], base: Mapping[str, Any], data: Any, changes: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The configuration, and the examples that were given from Python: None where `data` only says what to read."""
    if data is None:
        return configure(pipeline, base, changes), None
    group = dict(data) if isinstance(data, Mapping) and "source" in data else {"source": data}
    given = None if isinstance(group["source"], str | Path) else group["source"]
    source = MEMORY if given is not None else str(group["source"])
    return configure(pipeline, base, {"data": {**group, "source": source}, **changes}), given


def _is_several(inputs: Any) -> bool:
    return isinstance(inputs, list | tuple)


def _frame(results: Sequence[Any]) -> Any:
    """Dataclass rows as a frame; a mapping in a row becomes columns of its own, after its keys."""
    import pandas as pd

    return pd.DataFrame([result.columns() if hasattr(result, "columns") else vars(result) for result in results])
