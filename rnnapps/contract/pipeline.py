"""The contract between a pipeline and everything the pipelines share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange

__all__ = ["Endpoint", "Evaluation", "Objective", "Pipeline", "Splits"]

ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True)
class Splits:
    """Raw examples, split before anything is learned from them.

    Attributes:
        train: `tf.data.Dataset` of raw examples.
        validation: the same, held out; decides early stopping.
        test: the same, touched only by `evaluate`; None when the source has none.
        source: what a person would call the data, for reports.
    """

    train: tf.data.Dataset
    validation: tf.data.Dataset
    test: tf.data.Dataset | None
    source: str


@dataclass(frozen=True)
class Objective:
    """What training needs to know of a task.

    Attributes:
        loss: maps (network outputs, batch) to a scalar tensor, the mean loss; called inside the compiled step.
        batches: maps a first step to an endless `tf.data.Dataset` of batches with static shapes, or with the few widths
            of `rnnapps.data.buckets`. A batch is a dict {"inputs": {...}, "targets": ...}; the same step always yields
            the same batch. For a network with "states" it also holds "reset", a bool scalar: True where sequences
            start afresh.
        validate: returns {metric name with its unit: value} on held-out data for the current weights.
        metric: the name in `validate` that decides which state is best.
        samples: returns a few model outputs a person can look at, for the report; none by default.
        loss_unit: unit of the loss as metric names have it ("nats_per_character"); the validation metrics whose names
            end with it share the axis of the loss in the report. Empty: the loss has an axis of its own.
        time_step: what one time step of the inputs is: "character", "hour", "frame"...
        higher_is_better: of `metric`; by default lower is better.
    """

    loss: Callable[[Any, Any], tf.Tensor]
    batches: Callable[[int], tf.data.Dataset]
    validate: Callable[[], dict[str, float]]
    metric: str
    samples: Callable[[], list[str]] = list
    loss_unit: str = ""
    time_step: str = "time step"
    higher_is_better: bool = False


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes:
        metrics: metric name with its unit -> value of the model.
        baselines: baseline name -> the same metrics of that baseline.
        examples: number of scored examples: characters, forecasts, recordings...
        split: "test" or "validation".
        diagnostics: further figures, or words about them, not compared with a baseline.
    """

    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    examples: int
    split: str
    diagnostics: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model.

    Attributes:
        function: takes the named tensors, returns a dict of dense tensors that all lead with the batch dimension.
        input_signature: input name -> `tf.TensorSpec` whose first dimension is the batch (None).
        examples: input name -> array of valid raw inputs, at least 5 rows, for verification and warm-up.
        trackables: what the function uses beside network and preprocessor: other models, variables, tables.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    input_signature: dict[str, tf.TensorSpec]
    examples: dict[str, np.ndarray[Any, Any]]
    trackables: tuple[Any, ...] = ()


class Pipeline(ABC, Generic[ConfigT]):
    """One application: what the shared verbs need to know of a task.

    `Config` is a frozen dataclass with fields `data`, `model`, `training`, `export` and `seed`, and `decoding` where
    results are searched for; `Predict` a frozen dataclass of the flags of `predict` and `stream`, which take those of
    `decoding` as well.

    Attributes:
        name: name of the module and of the folders of runs and exports.
        summary: one sentence: what goes in and what comes out.
        intended_use: what its models are good for, for the model card.
        limitations: what they cannot do and where they fail, for the model card.
        higher_is_better: names of the metrics of `evaluate` of which more is better; of all others less is.
        evaluation_switches: flags of `evaluate` without value, name -> help; each that is given reaches the method
            `evaluate` as a keyword argument of that name, True.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Config: ClassVar[type]
    Predict: ClassVar[type]
    intended_use: ClassVar[str] = ""
    limitations: ClassVar[tuple[str, ...]] = ()
    higher_is_better: ClassVar[frozenset[str]] = frozenset()
    evaluation_switches: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def examples(self, config: ConfigT) -> Splits:
        """Reads the source and splits it; raises DataError."""

    @abstractmethod
    def fit_preprocessor(self, config: ConfigT, splits: Splits) -> Any:
        """Learns vocabulary, scaler... from the training split only."""

    @abstractmethod
    def load_preprocessor(self, folder: Path) -> Any:
        """Reads what the preprocessor's `save(folder)` wrote."""

    @abstractmethod
    def build_model(self, config: ConfigT, preprocessor: Any) -> keras.Model:
        """Returns the functional network, dict in and dict out.

        The key "states" on both sides marks states that go on from one window or chunk of a sequence to the next; a
        network that always reads whole sequences has none.
        """

    @abstractmethod
    def objective(self, config: ConfigT, network: keras.Model, preprocessor: Any, splits: Splits) -> Objective:
        """Loss, batches and validation of the task."""

    @abstractmethod
    def evaluate(self, config: ConfigT, network: keras.Model, preprocessor: Any, splits: Splits) -> Evaluation:
        """The task's metric on held-out data beside its naive baselines."""

    @abstractmethod
    def endpoints(self, config: ConfigT, network: keras.Model, preprocessor: Any) -> dict[str, Endpoint]:
        """The signatures of the exported model, `serving_default` among them."""

    @abstractmethod
    def predict(self, config: ConfigT, network: keras.Model, preprocessor: Any, options: Any) -> list[Any]:
        """Finished results for raw inputs: texts, or what JSON can hold, printed a line each."""

    @abstractmethod
    def stream(self, config: ConfigT, network: keras.Model, preprocessor: Any, options: Any) -> Iterator[str]:
        """Yields pieces of the result as soon as they exist; those that are lines end with a line feed."""

    def grow_preprocessor(self, config: ConfigT, preprocessor: Any, splits: Splits) -> Any:
        """Extends a loaded preprocessor by what new data needs (fine-tuning); the default keeps it."""
        return preprocessor

    def vocabulary_changes(self, network: keras.Model, old: Any, new: Any) -> Sequence[VocabularyChange]:
        """Which weights of `network` are indexed by vocabularies that grew from `old` to `new` (fine-tuning).

        One entry for each vocabulary: words read, words written, labels... The default says that all ids mean the same
        to both preprocessors.
        """
        return ()

    def report_sections(
        self, config: ConfigT, network: keras.Model, preprocessor: Any, splits: Splits, samples: Sequence[str]
    ) -> Sequence[Section]:
        """The pipeline's own part of report.html, made from the best weights; shown after the samples.

        Args:
            config: the run's configuration.
            network: with its best weights.
            preprocessor: as training left it.
            splits: the run's data.
            samples: what `Objective.samples` returned last; empty where there are none.
        """
        return ()
