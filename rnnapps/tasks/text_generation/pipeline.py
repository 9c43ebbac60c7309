"""Text generation: learns to continue text, character by character.

rnnapps text_generation train --data.source book.txt --run runs/text_generation/book
rnnapps text_generation predict --run runs/text_generation/book --prompt "It was"
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rnnapps.config import SamplingConfig, TokenModelConfig, TrainingConfig, require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.continuation import Continuation
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.export_config import TextExportConfig
from rnnapps.types import Array, Tensor, Tensors

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.metrics.text import TextScore
    from rnnapps.preprocessing.characters import CharacterVocabulary
    from rnnapps.tasks.text_generation.data.text import TextSplits
    from rnnapps.tasks.text_generation.prompts import TextWriter

__all__ = ["PIPELINE", "Config", "PredictOptions", "TextGeneration"]

GivenTexts: TypeAlias = Iterable[str] | Mapping[str, str | Iterable[str]]

SCORED_ROWS, SCORED_WINDOW = 64, 128


@dataclass(frozen=True)
class Config:
    """A character model.

    Attributes:
        data: where the text comes from.
        model: the network.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: TextDataConfig = field(default_factory=TextDataConfig)
    model: TokenModelConfig = field(default_factory=TokenModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    export: TextExportConfig = field(default_factory=TextExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


@dataclass(frozen=True)
class PredictOptions(SamplingConfig):
    """What to write.

    Attributes:
        prompt: text to continue.
        stop: end before this string.
    """

    prompt: str = ""
    stop: str = ""

    def __post_init__(self) -> None:
        """Checks the values; a terminal that is not set to UTF-8 hands over bytes that are no characters."""
        super().__post_init__()
        if not -(2**63) <= self.seed < 2**63:
            raise ConfigError(f"seed must be a number of 64 bits, not {self.seed}")
        for name in ("prompt", "stop"):
            text = getattr(self, name)
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise ConfigError(f"{name} must be Unicode text, not {text!r}; give it in UTF-8")


class TextGeneration(Pipeline[Config, "TextSplits", "CharacterVocabulary"]):
    """Text in, its continuation out."""

    name: ClassVar[str] = "text_generation"
    predict_only: ClassVar[frozenset[str]] = frozenset({"samples"})
    summary: ClassVar[str] = "Continues text, character by character, in the style of the text it was trained on."
    config_class = Config
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Continuing or scoring text of the kind the model was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It imitates the style of its training text and knows no facts; nothing it writes should be taken as true.",
        "Characters that do not occur in the training text are all read as one unknown character.",
        "It may repeat passages of its training text.",
    )

    def examples(self, config: Config, given: GivenTexts | None = None) -> TextSplits:
        """Reads the text and splits it; from Python a list of texts may be given, or a mapping of splits of them."""
        from rnnapps.tasks.text_generation.data.text import read_splits

        return read_splits(config.data, given)

    def look(self, config: Config, given: GivenTexts | None = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.text_generation.data_report import look_at_text

        return look_at_text(config.data, config.training, given)

    def fit_preprocessor(self, config: Config, splits: TextSplits) -> CharacterVocabulary:
        """The characters of the training text."""
        from rnnapps.preprocessing.characters import CharacterVocabulary

        return CharacterVocabulary.fit(splits.train)

    def load_preprocessor(self, folder: Path) -> CharacterVocabulary:
        """The characters a run or an export knows."""
        from rnnapps.preprocessing.characters import CharacterVocabulary

        return CharacterVocabulary.load(folder)

    def grow_preprocessor(
        self, config: Config, preprocessor: CharacterVocabulary, splits: TextSplits
    ) -> CharacterVocabulary:
        """Adds the new characters of the training text behind the known ones."""
        return preprocessor.grow(splits.train)

    def vocabulary_changes(
        self, network: keras.Model, old: CharacterVocabulary, new: CharacterVocabulary
    ) -> list[VocabularyChange]:
        """Characters keep their rows by name; id 0 is the unknown character of both."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.layers.token_network import vocabulary_axes

        before, after = (["unknown", *vocabulary.characters] for vocabulary in (old, new))
        return [VocabularyChange(before, after, vocabulary_axes(network))]

    def build_model(self, config: Config, preprocessor: CharacterVocabulary) -> keras.Model:
        """Embedding, recurrent stack, softmax."""
        from rnnapps.layers.token_network import token_network

        return token_network(config.model, preprocessor.size)

    def objective(self, fitted: Fitted[Config, CharacterVocabulary], splits: TextSplits) -> Objective:
        """Mean nats per character, on windows of the training text."""
        import tensorflow as tf

        from rnnapps.data.text.windows import batches
        from rnnapps.metrics.text import nats

        training = fitted.config.training
        ids = fitted.preprocessor.encode_all(splits.train)
        cut = functools.partial(
            batches,
            ids,
            batch_size=training.batch_size,
            window_steps=training.window_steps,
            seed=fitted.config.seed,
            carry_state=training.carry_state,
            token="character",
        )
        score = _scorer(fitted.network, fitted.preprocessor.encode_all(splits.validation))
        write, options = _writer(fitted), PredictOptions(length=200, samples=2)
        return Objective(
            loss=lambda outputs, batch: tf.reduce_mean(nats(outputs["logits"], batch["targets"])),
            batches=lambda start: cut(start_step=start),
            validate=lambda: {f"validation_{name}": value for name, value in score().metrics().items()},
            metric="validation_nats_per_character",
            samples=lambda: write([""], options),
            loss_unit="nats_per_character",
            time_step="character",
            sequences=len(ids) / training.window_steps,
        )

    def report_sections(
        self,
        fitted: Fitted[Config, CharacterVocabulary],
        splits: TextSplits,
        samples: Sequence[str],
    ) -> list[Section]:
        """How much the last samples repeat themselves."""
        from rnnapps.tasks.text_generation.repetition import measure_repetition
        from rnnapps.tasks.text_generation.report import repetition_section

        return [repetition_section({"last samples": measure_repetition(samples)})] if samples else []

    def evaluate(self, fitted: Fitted[Config, CharacterVocabulary], splits: TextSplits) -> Evaluation:
        """Nats and bits per character of held-out text, beside n-grams of the training text, of the best length."""
        from rnnapps.metrics.ngram_baselines import ngram_losses
        from rnnapps.metrics.text import TextScore, compare_texts
        from rnnapps.tasks.text_generation.repetition import measure_repetition

        split = "validation" if splits.test is None else "test"
        train, held_out = (fitted.preprocessor.encode_all(part) for part in (splits.train, getattr(splits, split)))
        repetition = measure_repetition(_writer(fitted)([""], PredictOptions(length=1000, samples=4)))
        score = _scorer(fitted.network, held_out)()
        losses = ngram_losses(train, held_out, vocabulary_size=fitted.preprocessor.size)
        naive = {name: TextScore(own) for name, own in losses.items()}
        return Evaluation(
            metrics=score.metrics(),
            baselines={name: own.metrics() for name, own in naive.items()},
            examples=len(held_out) - 1,
            split=split,
            diagnostics={
                **{f"distinct_{n}_of_samples": value for n, value in repetition.distinct.items()},
                "longest_repeat_characters": float(len(repetition.longest_repeat)),
                "unknown_characters": float((held_out == 0).sum()),
            },
            comparison=compare_texts(score, naive, metric="nats_per_character", part="characters"),
        )

    def endpoints(self, fitted: Fitted[Config, CharacterVocabulary]) -> dict[str, Endpoint]:
        """`serving_default` writes text, `tensors` scores ids, `step` goes on from states."""
        from rnnapps.tasks.text_generation.endpoints import text_endpoints

        return text_endpoints(fitted.network, fitted.preprocessor, fitted.config.export)

    def predict(
        self,
        fitted: Fitted[Config, CharacterVocabulary],
        options: PredictOptions,
        given: str | Sequence[str] | None = None,
    ) -> list[Continuation]:
        """Prompts and their continuations: `options.samples` of each prompt follow one another.

        From Python a prompt may be given, or a list of them.
        """
        from rnnapps.data.text.given import given_texts

        prompts = [options.prompt] if given is None else given_texts(given, "prompt", whole="inputs")
        _report_unknown(fitted.preprocessor, {"prompt": "".join(prompts), "stop": options.stop})
        texts = _writer(fitted)(prompts, options, stop=options.stop)
        asked = [prompt for prompt in prompts for _ in range(options.samples)]
        return [Continuation(prompt, text) for prompt, text in zip(asked, texts, strict=True)]

    def stream(
        self, fitted: Fitted[Config, CharacterVocabulary], options: PredictOptions, given: str | None = None
    ) -> Iterator[str]:
        """The prompt, then its continuation as it is written."""
        from rnnapps.data.text.given import require_text
        from rnnapps.tasks.text_generation.prompts import stream_text

        prompt = options.prompt if given is None else require_text(given, "prompt", whole="inputs")
        _report_unknown(fitted.preprocessor, {"prompt": prompt, "stop": options.stop})
        yield prompt
        yield from stream_text(fitted.network, fitted.preprocessor, prompt, options, stop=options.stop)

    def continue_stream(
        self,
        fitted: Fitted[Config, CharacterVocabulary],
        options: PredictOptions,
        memory: StreamMemory,
        given: str | None = None,
    ) -> Iterator[str]:
        """The text written again, without what was given out before."""
        yield from memory.after_given(self.stream(fitted, options, given), of=given or "")


def _scorer(network: keras.Model, ids: Array) -> Callable[[], TextScore]:
    """A function that scores a text with the network's current weights."""
    import tensorflow as tf

    from rnnapps.layers.token_network import zero_states
    from rnnapps.metrics.text import score_text

    @tf.function(autograph=False)
    def apply(tokens: Tensor, states: Tensors) -> tuple[Tensor, Tensors]:
        outputs = network({"tokens": tokens, "states": states}, training=False)
        return outputs["logits"], outputs["states"]

    rows = max(1, min(SCORED_ROWS, len(ids) // SCORED_WINDOW))

    def score() -> TextScore:
        states = zero_states(network, rows)
        return score_text(apply, states, ids, batch_size=rows, window_steps=SCORED_WINDOW)

    return score


def _writer(fitted: Fitted[Config, CharacterVocabulary]) -> TextWriter:
    """A function that continues prompts with the network's current weights."""
    from rnnapps.tasks.text_generation.prompts import text_writer

    return fitted.once("text_writer", lambda: text_writer(fitted.network, fitted.preprocessor))


def _report_unknown(preprocessor: CharacterVocabulary, texts: Mapping[str, str]) -> None:
    """Tells of characters of the prompt and the stop string that the model never saw."""
    consequences = {"prompt": "read as the unknown character", "stop": "it is never written, so nothing stops there"}
    for name, text in texts.items():
        unknown = preprocessor.unknown_characters(text)
        if unknown:
            listed = ", ".join(f"{character!r} ({count})" for character, count in unknown.items())
            print(f"{name}: characters unknown to the model: {listed}; {consequences[name]}", file=sys.stderr)


PIPELINE = TextGeneration()
