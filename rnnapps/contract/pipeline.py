"""The contract between a task and everything that the tasks share."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from rnnapps.contract.data_report import DataReport
from rnnapps.contract.fitted import Configuration, Fitted, Preprocessor
from rnnapps.contract.splits import Splits
from rnnapps.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.endpoint import Endpoint
    from rnnapps.contract.evaluation import Evaluation
    from rnnapps.contract.objective import Objective
    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.stream_memory import StreamMemory
    from rnnapps.contract.vocabulary import VocabularyChange

__all__ = ["Pipeline"]

ConfigT = TypeVar("ConfigT", bound=Configuration)
SplitsT = TypeVar("SplitsT", bound=Splits)
PreprocessorT = TypeVar("PreprocessorT", bound=Preprocessor)


class Pipeline(ABC, Generic[ConfigT, SplitsT, PreprocessorT]):
    """One application: what the shared verbs need to know of a task.

    Imports of TensorFlow go inside the methods, so that `--help` is instant. `rnnapps.testing.check_pipeline` holds a
    pipeline to all that is said here.

    Attributes:
        name: name of the command and of the folders of runs and exports.
        summary: one sentence: what goes in and what comes out.
        config_class: the frozen dataclass of all settings. Each of its fields but `seed` is a group of settings, and a
            group of flags: data, model, training, export, and whatever else the task has.
        predict_class: a frozen dataclass of the flags of `predict` and `stream`; the first names the input.
        intended_use: what its models are good for, for the model card.
        limitations: what they cannot do and where they fail, for the model card.
        higher_is_better: names of the metrics of `evaluate` of which more is better; of all others less is.
        evaluation_switches: flags of `evaluate` without value, name -> help; each that is given reaches the method
            `evaluate` as a keyword argument of that name, True.
        run_fixes: groups of settings that belong to a run for good: training with others needs another run. Groups that
            are not named here, training and export among them, may change from one command to the next.
        run_frees: single settings of those groups, dotted, that may change all the same.
        evaluate_tries: groups that a run fixes and `evaluate` still takes, to see what others would give.
        training_lacks: settings of the group `training` that mean nothing to the task -> why, as "recordings are read
            whole".
        tabular: columns of the pandas frame that Python users get, where what `predict` finds are rows of a table:
            those that the frame has even where nothing is found.
        predict_only: options of `predict_class`, and groups of settings, that say nothing to `stream`, which refuses
            them.
        stream_only: those that say nothing to `predict`.
        stream_frees: options that may change where a stream goes on from its state, such as the file it reads.
        stream_header: a line that the command line prints before the first piece of `stream`, where pieces are lines
            of a table; with a line feed.
        python_defaults: options of `predict_class` whose default is another for Python users: what the command line
            writes into a file, they may just want in hand.
        settings_before: settings that a newer version has brought, dotted -> their value in models that were made
            before, whose configurations do not name them, where that is not the default.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    config_class: type[ConfigT]
    predict_class: type
    intended_use: ClassVar[str] = ""
    limitations: ClassVar[tuple[str, ...]] = ()
    higher_is_better: ClassVar[frozenset[str]] = frozenset()
    evaluation_switches: ClassVar[Mapping[str, str]] = {}
    run_fixes: ClassVar[frozenset[str]] = frozenset({"data", "model", "seed"})
    run_frees: ClassVar[frozenset[str]] = frozenset({"data.test"})
    evaluate_tries: ClassVar[frozenset[str]] = frozenset({"data"})
    training_lacks: ClassVar[Mapping[str, str]] = {}
    tabular: ClassVar[tuple[str, ...]] = ()
    predict_only: ClassVar[frozenset[str]] = frozenset()
    stream_only: ClassVar[frozenset[str]] = frozenset()
    stream_frees: ClassVar[frozenset[str]] = frozenset()
    stream_header: ClassVar[str] = ""
    python_defaults: ClassVar[Mapping[str, Any]] = {}
    settings_before: ClassVar[Mapping[str, Any]] = {}

    def without_effect(self, config: ConfigT) -> Mapping[str, str]:
        """Settings that mean nothing beside the others, dotted -> why.

        To give one of them another value than its default is refused. By default they are those that a group names by
        a method `without_effect`, and those that `training_lacks`.
        """
        groups = {field.name: getattr(config, field.name) for field in dataclasses.fields(cast(Any, self.config_class))}
        found = {f"training.{name}": why for name, why in self.training_lacks.items()}
        for group, own in groups.items():
            if hasattr(own, "without_effect"):
                found |= {f"{group}.{name}": why for name, why in own.without_effect().items()}
        return found

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task, for `rnnapps fit`.

        Names of files, first lines and one table are looked at, no more. The default recognises nothing: such a
        pipeline is named with `--task`.

        Args:
            source: the path of a file or a folder.

        Raises:
            DataError: it cannot be read at all.
        """
        return None

    @abstractmethod
    def examples(self, config: ConfigT, given: Any = None) -> SplitsT:
        """Reads the source and splits it.

        Args:
            config: the settings; `data.source` names the source.
            given: examples from Python instead of the source, as Python users have them: texts, frames, arrays...; the
                pipeline says which. A mapping with the keys `train`, `validation` and `test`, of which the last two may
                be missing, gives the splits apart.

        Raises:
            DataError: the source cannot be read, or there are too few examples to split.
        """

    def look(self, config: ConfigT, given: Any = None) -> DataReport:
        """What is understood of the data, for a person who looks at it before any training.

        The default knows the sizes of the parts alone. Where the group `data` has settings `on_bad` and `bad_limit`
        (`rnnapps.data.bad_examples.BadExamplesConfig`), they say here that examples that cannot be read are skipped.

        Args:
            config: the settings.
            given: as for `examples`.

        Raises:
            DataError: as for `examples`.
        """
        return DataReport.of_splits(self.examples(config) if given is None else self.examples(config, given))

    @abstractmethod
    def fit_preprocessor(self, config: ConfigT, splits: SplitsT) -> PreprocessorT:
        """Learns vocabulary, scaler... from the training split only."""

    @abstractmethod
    def load_preprocessor(self, folder: Path) -> PreprocessorT:
        """Reads what the preprocessor's `save(folder)` wrote."""

    @abstractmethod
    def build_model(self, config: ConfigT, preprocessor: PreprocessorT) -> keras.Model:
        """Returns the functional network, dict in and dict out.

        The key "states" on both sides marks states that go on from one window or chunk of a sequence to the next; a
        network that always reads whole sequences has none.
        """

    def join(self, fitted: Sequence[Fitted[ConfigT, PreprocessorT]]) -> keras.Model:
        """One network of several of equal preprocessing, for all that is asked of one: an ensemble.

        `rnnapps.layers.side_by_side` makes it; what runs a network otherwise than by calling it, a chunk at a time,
        must do so with the members of one. The validation of `objective` then fits what is calibrated to it.

        Args:
            fitted: the members.

        Raises:
            ConfigError: the pipeline has no ensembles, as by default, or these cannot be one.
        """
        raise ConfigError(f"{self.name} has no ensembles")

    @abstractmethod
    def objective(self, fitted: Fitted[ConfigT, PreprocessorT], splits: SplitsT) -> Objective:
        """Loss, batches and validation of the task."""

    @abstractmethod
    def evaluate(self, fitted: Fitted[ConfigT, PreprocessorT], splits: SplitsT) -> Evaluation:
        """The task's metric on held-out data beside its naive baselines; also takes its `evaluation_switches`."""

    def calibrate(self, fitted: Fitted[ConfigT, PreprocessorT], splits: SplitsT) -> bool:
        """Fits what settings of `evaluate_tries` need to held-out data, such as thresholds, into the network.

        `evaluate --keep` calls it when it keeps other settings in a run. The default has nothing to fit.

        Returns:
            Whether weights of the network changed.
        """
        return False

    def with_training_of(self, splits: SplitsT, own: SplitsT) -> SplitsT | None:
        """Data to score, with the training and validation examples of a model: what its baselines must learn from.

        The default replaces the fields `train` and `validation` of a dataclass; validation examples are scored, as the
        test, where there are no test examples.

        Args:
            splits: data to score, of another source than the model's.
            own: the data that the model was trained on.

        Returns:
            None where baselines cannot learn from other data than they are scored on.
        """
        data, known = cast(Any, splits), cast(Any, own)
        names = {field.name for field in dataclasses.fields(data)} if dataclasses.is_dataclass(data) else set()
        if not names >= {"train", "validation", "test"}:
            return None
        held_out = data.validation if data.test is None else data.test
        changed = dataclasses.replace(data, train=known.train, validation=known.validation, test=held_out)
        return cast(SplitsT, changed)

    def with_validation(self, splits: SplitsT) -> SplitsT | None:
        """The same data with the validation examples among those for training, which `training.refit` learns from.

        The default joins the fields `train` and `validation` of a dataclass, where they are lists or tuples.

        Returns:
            None where a model cannot learn from them too.
        """
        data = cast(Any, splits)
        train, held_out = (getattr(data, name, None) for name in ("train", "validation"))
        lists = isinstance(train, list | tuple) and isinstance(held_out, list | tuple)
        if not lists or not dataclasses.is_dataclass(splits):
            return None
        return cast(SplitsT, dataclasses.replace(data, train=[*train, *held_out]))

    @abstractmethod
    def endpoints(self, fitted: Fitted[ConfigT, PreprocessorT]) -> dict[str, Endpoint]:
        """The signatures of the exported model, `serving_default` among them."""

    def portable_endpoints(self, fitted: Fitted[ConfigT, PreprocessorT]) -> dict[str, Endpoint]:
        """The signatures that files for other runtimes hold; the default is all that can leave TensorFlow.

        A model whose tables have no place on a small device gives a lesser one here, and says so in the summaries.
        """
        return self.endpoints(fitted)

    def card_facts(self, fitted: Fitted[ConfigT, PreprocessorT]) -> Mapping[str, str]:
        """What the model card says of the model beside its cell and number of parameters, name -> words."""
        return {}

    @abstractmethod
    def predict(self, fitted: Fitted[ConfigT, PreprocessorT], options: Any, given: Any = None) -> Iterable[Any]:
        """Finished results for raw inputs, in their order: texts or dataclasses; each printed as soon as it comes.

        Of several inputs, one that cannot be read has a `BadExample` instead, and the others have their results.

        The command line prints a text as it is, and a dataclass as a line of JSON: its fields, or what its method
        `printed()` returns (a text, or what JSON can hold).

        Args:
            fitted: the model.
            options: of `predict_class`.
            given: inputs from Python instead of those that the options name; one, or a sequence of them.
        """

    @abstractmethod
    def stream(self, fitted: Fitted[ConfigT, PreprocessorT], options: Any, given: Any = None) -> Iterator[Any]:
        """Yields pieces of the result as soon as they exist.

        Pieces are texts, of which those that are lines end with a line feed, or dataclasses, each printed as a line as
        in `predict`.

        Args:
            fitted: the model.
            options: of `predict_class`.
            given: one input from Python instead of that which the options name; where rows or chunks make it up, any
                iterable of them.
        """

    def continue_stream(
        self, fitted: Fitted[ConfigT, PreprocessorT], options: Any, memory: StreamMemory, given: Any = None
    ) -> Iterator[Any]:
        """As `stream`, but it goes on where another one ended, and leaves what the next one needs.

        Of an input that is cut in two at any place, the pieces of both parts are those of the whole, bit for bit. A
        pipeline that does not have this method takes no `--state`.

        Args:
            fitted: the model.
            options: of `predict_class`.
            memory: what was known before, and what is to be kept.
            given: as in `stream`: what follows the input so far.
        """
        raise NotImplementedError

    def is_one_input(self, given: Any) -> bool:
        """Whether what was given to `predict` is one input, whose result comes alone, and no sequence of them.

        Lists and tuples are sequences, and arrays of strings; an array of numbers is one input.
        """
        texts = getattr(getattr(given, "dtype", None), "kind", None) in list("OUST")
        return given is not None and not isinstance(given, list | tuple) and not texts

    def grow_preprocessor(self, config: ConfigT, preprocessor: PreprocessorT, splits: SplitsT) -> PreprocessorT:
        """Extends a loaded preprocessor by what new data needs (fine-tuning); the default keeps it."""
        return preprocessor

    def vocabulary_changes(
        self, network: keras.Model, old: PreprocessorT, new: PreprocessorT
    ) -> Sequence[VocabularyChange]:
        """Which weights of `network` are indexed by vocabularies that grew from `old` to `new` (fine-tuning).

        One entry for each vocabulary: words read, words written, labels... The default says that all ids mean the same
        to both preprocessors.
        """
        return ()

    def report_sections(
        self, fitted: Fitted[ConfigT, PreprocessorT], splits: SplitsT, samples: Sequence[str]
    ) -> Sequence[Section]:
        """The pipeline's own part of report.html, made from the best weights; shown after the samples.

        Args:
            fitted: the model, with its best weights.
            splits: the run's data.
            samples: what `Objective.samples` returned last; empty where there are none.
        """
        return ()
