"""A trained model as Python users hold it: the verbs of the command line as methods."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rnnapps.config import dotted
from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Configuration, Fitted, Preprocessor
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError, DataError
from rnnapps.verbs import settings
from rnnapps.verbs.configure import applied_groups, configure, option_names, read_options
from rnnapps.verbs.data import with_data
from rnnapps.verbs.opening import OpenModel, open_model
from rnnapps.verbs.runs import new_run_path

if TYPE_CHECKING:
    import keras
    import pandas as pd


__all__ = ["Model"]

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
            inputs: one input, or a list of them; None takes what the options name, as the command line does.
            options: those of the command line's `predict`, groups of settings that say how a model is applied among
                them, as in `rnnapps.train`.

        Returns:
            A result for a single input, a list of them for several; or a pandas frame, where results are rows.

        Raises:
            ConfigError: an option does not exist or does not fit, or names the input a second time.
            DataError: an input is not what was expected.
        """
        results = _all_good(self.pipeline.predict(*self._asked("predict", inputs, options), inputs))
        if self.pipeline.tabular:
            return _frame(results, self.pipeline.tabular)
        single = self.pipeline.is_one_input(inputs) and len(results) == 1
        return results[0] if single else results

    def stream(self, inputs: Any = None, *, state: str | Path | None = None, **options: Any) -> Iterator[Any]:
        """Pieces of the result as soon as they exist.

        Args:
            inputs: as in `predict`; where rows, chunks or frames make it up, any iterable of them.
            state: file that the stream goes on from, where it exists, and that is written every half minute and when
                the pieces end or are no longer asked for.
            options: as in `predict`.

        Raises:
            ConfigError: as in `predict`; or the pipeline's stream has no state.
            CheckpointError: the state is damaged, or that of another model.
            DataError: an input is not what was expected.
        """
        from rnnapps.verbs.stream import stream_pieces

        fitted, asked = self._asked("stream", inputs, options)
        return stream_pieces(self.pipeline, fitted, asked, inputs, state=None if state is None else Path(state))

    def evaluate(
        self, data: Any = None, *, switches: Sequence[str] = (), keep: bool = False, **changes: Any
    ) -> Evaluation:
        """Scores the model on held-out data, beside its baselines; the model's own data by default.

        Args:
            data: as in `rnnapps.train`.
            switches: those of the command line's `evaluate` without value, such as "tune".
            keep: keep the changed settings in the run, fitted to its own data anew; this model has them from then on.
            changes: settings, as in `rnnapps.train`.
        """
        from rnnapps.verbs.evaluate import evaluate
        from rnnapps.verbs.keep import keep_settings, require_keepable
        from rnnapps.verbs.scored_data import examples_to_score

        for name in switches:
            if name not in self.pipeline.evaluation_switches:
                known = ", ".join(self.pipeline.evaluation_switches) or "none"
                raise ConfigError(f"{self.pipeline.name} has no switch {name!r} of evaluate; there are {known}")
        model = self._changed("evaluate", self.pipeline.evaluate_tries, changes)
        config, given = with_data(self.pipeline, settings.flatten(model.fitted.config), data, {})
        splits, note = examples_to_score(
            self.pipeline, self.config, config, folder=model.folder, given=given, own_splits=self._splits
        )
        if keep:
            changed = ["data"] if data is not None else dotted(changes)
            keep_settings(self.pipeline, model, require_keepable(self.pipeline, model, changed), splits)
            self._opened = model
        own = data is None and (keep or not changes)
        return evaluate(self.pipeline, model, splits, switches=switches, note=note, keep=own)

    def export(
        self,
        to: str | Path,
        *,
        key: str | Path | None = None,
        portable: str | Sequence[str] = (),
        portable_steps: int | None = None,
        **changes: Any,
    ) -> Path:
        """Writes the next version of a served model, verified before it appears.

        Args:
            to: the folder of versions, such as `saved_models/book`.
            key: file of the private key (PEM, Ed25519) that signs it; None to leave it unsigned.
            portable: formats for other runtimes, written to `assets.extra/portable` of the version: "c".
            portable_steps: places of their inputs of variable length; by default one in a step, and in other
                signatures as many as the stored examples have.
            changes: settings, as in `rnnapps.train`.

        Returns:
            The version folder.
        """
        from rnnapps.export.destination import check_destination
        from rnnapps.portable.formats import check_formats, check_steps
        from rnnapps.verbs.export import export

        check_destination(Path(to))
        return export(
            self.pipeline,
            self._changed("export", {"export"}, changes),
            Path(to),
            key=Path(key) if key else None,
            portable=check_formats(portable),
            portable_steps=check_steps(portable_steps),
        )

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

        config, given = with_data(self.pipeline, settings.flatten(self.config), data, changes)
        path = Path(run) if run else new_run_path(self.pipeline, config)
        trained = finetune(self.pipeline, config, path, source=self.path, freeze=tuple(freeze), given=given)
        return Model(self.pipeline, trained.model, trained.splits)

    def _asked(self, verb: str, inputs: Any, options: Mapping[str, Any]) -> tuple[Fitted[ConfigT, PreprocessorT], Any]:
        """The model with the settings among the options, and the options proper."""
        named, groups = option_names(self.pipeline)[0], applied_groups(self.pipeline, verb)
        if inputs is not None and named in options:
            raise ConfigError(f"the input is given twice, as the first argument and as {named}=; leave one out")
        changes = {name: value for name, value in options.items() if name.partition(".")[0] in groups}
        fitted: Fitted[ConfigT, PreprocessorT] = self._opened.fitted
        if changes:
            fitted = dataclasses.replace(
                fitted, config=configure(self.pipeline, settings.flatten(self.config), changes)
            )
        proper = {name: value for name, value in options.items() if name not in changes}
        return fitted, read_options(self.pipeline, proper, verb)

    def _changed(self, verb: str, groups: AbstractSet[str], changes: Mapping[str, Any]) -> OpenModel:
        """The model with other settings, the weights being the same; `groups` are what the verb takes beside others."""
        if not changes:
            return self._opened
        config = configure(self.pipeline, settings.flatten(self.config), changes)
        known = groups | applied_groups(self.pipeline)
        for name in (field.name for field in dataclasses.fields(config)):
            if name not in known and getattr(config, name) != getattr(self.config, name):
                raise ConfigError(f"{verb} cannot change {name}, but settings of {', '.join(sorted(known))}")
        return open_model(self.pipeline, self.path, config)


def _all_good(results: Iterable[Any]) -> list[Any]:
    """The results; raises DataError for the first input that has none."""
    found = []
    for result in results:
        if isinstance(result, BadExample):
            raise DataError(result.file, result.problem)
        found.append(result)
    return found


def _frame(results: Sequence[Any], columns: Sequence[str]) -> pd.DataFrame:
    """Dataclass rows as a frame: their fields, or what their method `columns()` returns."""
    import pandas as pd

    rows = [result.columns() if hasattr(result, "columns") else vars(result) for result in results]
    return pd.DataFrame(rows, columns=None if rows else list(columns))
