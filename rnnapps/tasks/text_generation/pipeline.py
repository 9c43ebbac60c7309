"""Text generation: learns to continue text, by characters, words or pieces of words.

rnnapps text_generation train --data.source book.txt --run runs/text_generation/book
rnnapps text_generation predict --run runs/text_generation/book --prompt "It was"
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rnnapps.config import TrainingConfig, require_seed
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.large_data import LARGE_DATA_SETTINGS
from rnnapps.errors import ConfigError
from rnnapps.tasks.text_generation.continuation import Continuation, PossibleEnds
from rnnapps.tasks.text_generation.data.config import TextDataConfig
from rnnapps.tasks.text_generation.data.token_kinds import NOUNS
from rnnapps.tasks.text_generation.export_config import TextExportConfig
from rnnapps.tasks.text_generation.model_config import TextModelConfig
from rnnapps.tasks.text_generation.predict_options import PredictOptions

if TYPE_CHECKING:
    import keras

    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.text_generation.completion.writer import Completer
    from rnnapps.tasks.text_generation.data.text import TextSplits
    from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor
    from rnnapps.tasks.text_generation.prompts import TextWriter
    from rnnapps.tasks.text_generation.scoring import Reader

__all__ = ["PIPELINE", "Config", "PredictOptions", "TextGeneration"]

SHADED_CHARACTERS = 1_500
"""About so many of the held-out text, whose surprise is shown."""

SHOWN_TOKENS = 20_000
"""Of the held-out text, to show how a blend works."""

GivenTexts: TypeAlias = Iterable[str] | Mapping[str, str | Iterable[str]]


@dataclass(frozen=True)
class Config:
    """A language model.

    Attributes:
        data: where the text comes from.
        model: the network, and what it is blended with.
        training: how it is trained.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: TextDataConfig = field(default_factory=TextDataConfig)
    model: TextModelConfig = field(default_factory=TextModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    export: TextExportConfig = field(default_factory=TextExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)


class TextGeneration(Pipeline[Config, "TextSplits", "TextPreprocessor"]):
    """Text in, its continuation out."""

    name: ClassVar[str] = "text_generation"
    run_frees: ClassVar[frozenset[str]] = LARGE_DATA_SETTINGS | {"data.test"}
    predict_only: ClassVar[frozenset[str]] = frozenset({"samples", "prompts", "completions", "until"})
    summary: ClassVar[str] = "Continues text, by characters or words, in the style of the text it was trained on."
    config_class = Config
    predict_class = PredictOptions
    intended_use: ClassVar[str] = "Continuing or scoring text of the kind the model was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It imitates the style of its training text and knows no facts; nothing it writes should be taken as true.",
        "Characters that do not occur in the training text are all read as one unknown character.",
        "It may repeat passages of its training text; the n-grams that it is blended with are pieces of that text.",
    )

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.text_generation.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: GivenTexts | None = None) -> TextSplits:
        """Reads the text and splits it; from Python a list of texts may be given, or a mapping of splits of them."""
        from rnnapps.tasks.text_generation.data.text import read_splits

        return read_splits(config.data, given)

    def look(self, config: Config, given: GivenTexts | None = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.text_generation.data_report import look_at_text

        return look_at_text(config.data, config.training, given)

    def fit_preprocessor(self, config: Config, splits: TextSplits) -> TextPreprocessor:
        """The tokens of the training text, and its n-grams."""
        from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor

        return _counted(config, TextPreprocessor.fit(config.data, splits.train), splits)

    def load_preprocessor(self, folder: Path) -> TextPreprocessor:
        """The tokens and n-grams a run or an export knows."""
        from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor

        return TextPreprocessor.load(folder)

    def grow_preprocessor(self, config: Config, preprocessor: TextPreprocessor, splits: TextSplits) -> TextPreprocessor:
        """Adds what the training text needs behind the known tokens, and counts that text's n-grams."""
        return _counted(config, preprocessor.grow(config.data, splits.train), splits)

    def vocabulary_changes(
        self, network: keras.Model, old: TextPreprocessor, new: TextPreprocessor
    ) -> list[VocabularyChange]:
        """Tokens keep their rows by name."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.layers.token_network import vocabulary_axes

        return [VocabularyChange(old.vocabulary.names, new.vocabulary.names, vocabulary_axes(network))]

    def build_model(self, config: Config, preprocessor: TextPreprocessor) -> keras.Model:
        """Embedding, recurrent stack, softmax, and the weights of the blend."""
        from rnnapps.tasks.text_generation.language_model import text_network

        return text_network(config.model, preprocessor)

    def join(self, fitted: Sequence[Fitted[Config, TextPreprocessor]]) -> keras.Model:
        """The mean of the members' probabilities, blended with n-grams by weights of its own."""
        from rnnapps.layers.side_by_side import mean_of_probabilities, side_by_side
        from rnnapps.tasks.text_generation.language_model import with_gate

        network = side_by_side([own.network for own in fitted], {"logits": mean_of_probabilities})
        return with_gate(network, fitted[0].preprocessor)

    def objective(self, fitted: Fitted[Config, TextPreprocessor], splits: TextSplits) -> Objective:
        """Mean nats per token, on windows of the training text; validation also fits the blend."""
        from rnnapps.tasks.text_generation.objective import text_objective

        write, options = _writer(fitted), PredictOptions(length=200, samples=2)
        return text_objective(fitted, splits, read=_reader(fitted), samples=lambda: write([""], options))

    def report_sections(
        self,
        fitted: Fitted[Config, TextPreprocessor],
        splits: TextSplits,
        samples: Sequence[str],
    ) -> list[Section]:
        """What surprised the model, what the blend believes, and how much the last samples repeat themselves."""
        from rnnapps.tasks.text_generation.held_text import HeldText, beginning
        from rnnapps.tasks.text_generation.repetition import measure_repetition
        from rnnapps.tasks.text_generation.report import blend_section, repetition_section, surprise_section
        from rnnapps.tasks.text_generation.scoring import read_evidence, text_scorer

        vocabulary, grams = fitted.preprocessor.vocabulary, fitted.preprocessor.grams
        texts = vocabulary.texts
        ids, read = vocabulary.encode_all(splits.validation), _reader(fitted)
        shaded = beginning(ids, vocabulary, SHADED_CHARACTERS)
        losses = text_scorer(fitted.network, read, HeldText(shaded, None, 0), grams)().model.losses
        sections = [surprise_section([texts[number] for number in shaded], losses)]
        if grams is not None:
            evidence = read_evidence(fitted.network, read, ids[:SHOWN_TOKENS], grams)
            sections.append(blend_section(*evidence, token=NOUNS[vocabulary.kind]))
        if samples:
            sections.append(repetition_section({"last samples": measure_repetition(samples)}))
        return sections

    def evaluate(self, fitted: Fitted[Config, TextPreprocessor], splits: TextSplits) -> Evaluation:
        """Nats per character and perplexity per word of held-out text, beside n-grams of the training text.

        A blended model is scored as it is, and its network alone beside it.
        """
        from rnnapps.tasks.text_generation.evaluation import evaluate_text

        return evaluate_text(fitted, splits, read=_reader(fitted), write=_writer(fitted), complete=_completer(fitted))

    def endpoints(self, fitted: Fitted[Config, TextPreprocessor]) -> dict[str, Endpoint]:
        """`serving_default` writes text, `tensors` scores ids, `step` goes on from states."""
        from rnnapps.tasks.text_generation.endpoints import text_endpoints
        from rnnapps.tasks.text_generation.language_model import language_model

        return text_endpoints(language_model(fitted), fitted.preprocessor.vocabulary, fitted.config.export)

    def portable_endpoints(self, fitted: Fitted[Config, TextPreprocessor]) -> dict[str, Endpoint]:
        """The network alone: its n-grams would take more room than it, and operations that few runtimes have."""
        from rnnapps.tasks.text_generation.endpoints import network_endpoints

        return network_endpoints(fitted.network, fitted.config.export, blended=fitted.preprocessor.grams is not None)

    def card_facts(self, fitted: Fitted[Config, TextPreprocessor]) -> Mapping[str, str]:
        """How many n-grams the network is blended with, and what they take."""
        grams = fitted.preprocessor.grams
        if grams is None:
            return {}
        longest = f"{grams.order} {NOUNS[fitted.preprocessor.vocabulary.kind]}s"
        told = f"{grams.entries - 1:,} of up to {longest}, {grams.bytes / 1e6:.1f} MB in the graph"
        return {"n-grams blended in": told}

    def predict(
        self,
        fitted: Fitted[Config, TextPreprocessor],
        options: PredictOptions,
        given: str | Sequence[str] | None = None,
    ) -> list[Continuation] | list[PossibleEnds]:
        """Prompts and their continuations: `options.samples` of each prompt follow one another.

        Or the likeliest ends of each prompt's last word or line, where completions are asked for.

        From Python a prompt may be given, or a list of them.
        """
        from rnnapps.data.text.given import given_texts
        from rnnapps.tasks.text_generation.prompt_lines import prompts_of

        many = bool(options.prompts)
        if many and given is not None:
            raise ConfigError("prompts names a file, and prompts are given; leave one of them out")
        own = prompts_of(options.prompts) if many else [options.prompt]
        prompts = own if given is None else given_texts(given, "prompt", whole="inputs")
        _report_unknown(fitted.preprocessor, {"prompt": "".join(prompts), "stop": options.stop})
        if options.completions:
            line = options.until == "line"
            found = _completer(fitted)(prompts, count=options.completions, whole_line=line)
            return [PossibleEnds(prompt, own) for prompt, own in zip(prompts, found, strict=True)]
        texts = _writer(fitted)(prompts, options, stop=options.stop)
        asked = [prompt for prompt in prompts for _ in range(options.samples)]
        return [Continuation(prompt, text, many) for prompt, text in zip(asked, texts, strict=True)]

    def stream(
        self, fitted: Fitted[Config, TextPreprocessor], options: PredictOptions, given: str | None = None
    ) -> Iterator[str]:
        """The prompt, then its continuation as it is written."""
        from rnnapps.data.text.given import require_text
        from rnnapps.tasks.text_generation.language_model import language_model
        from rnnapps.tasks.text_generation.prompts import stream_text

        prompt = options.prompt if given is None else require_text(given, "prompt", whole="inputs")
        _report_unknown(fitted.preprocessor, {"prompt": prompt, "stop": options.stop})
        yield prompt
        vocabulary = fitted.preprocessor.vocabulary
        yield from stream_text(language_model(fitted), vocabulary, prompt, options, stop=options.stop)

    def continue_stream(
        self,
        fitted: Fitted[Config, TextPreprocessor],
        options: PredictOptions,
        memory: StreamMemory,
        given: str | None = None,
    ) -> Iterator[str]:
        """The text written again, without what was given out before."""
        yield from memory.after_given(self.stream(fitted, options, given), of=given or "")


def _counted(config: Config, preprocessor: TextPreprocessor, splits: TextSplits) -> TextPreprocessor:
    """With the n-grams of the training text, where the model is to be blended with them and the text is long enough."""
    from rnnapps.tasks.text_generation.blend.held_out import LEAST_TOKENS
    from rnnapps.tasks.text_generation.tokens.vocabulary import ids_of

    if config.model.blend == "none":
        return preprocessor
    ids = ids_of(preprocessor.vocabulary, splits.train)
    if len(ids) < LEAST_TOKENS:
        tokens = f"{NOUNS[preprocessor.vocabulary.kind]}s"
        told = f"the training text has {len(ids):,} {tokens}, {LEAST_TOKENS:,} are needed to blend it with n-grams"
        print(f"note: {told}; the network stands alone", file=sys.stderr)
        return preprocessor
    return preprocessor.with_grams(config.model, ids)


def _reader(fitted: Fitted[Config, TextPreprocessor]) -> Reader:
    """A function that reads texts with the network's current weights."""
    from rnnapps.tasks.text_generation.scoring import network_reader

    return fitted.once("reader", lambda: network_reader(fitted.network))


def _writer(fitted: Fitted[Config, TextPreprocessor]) -> TextWriter:
    """A function that continues prompts with the model's current weights."""
    from rnnapps.tasks.text_generation.language_model import language_model
    from rnnapps.tasks.text_generation.prompts import text_writer

    return fitted.once("text_writer", lambda: text_writer(language_model(fitted), fitted.preprocessor.vocabulary))


def _completer(fitted: Fitted[Config, TextPreprocessor]) -> Completer:
    """A function that completes prompts with the model's current weights."""
    from rnnapps.tasks.text_generation.completion.writer import text_completer
    from rnnapps.tasks.text_generation.language_model import language_model

    return fitted.once("completer", lambda: text_completer(language_model(fitted), fitted.preprocessor.vocabulary))


def _report_unknown(preprocessor: TextPreprocessor, texts: Mapping[str, str]) -> None:
    """Tells of characters of the prompt and the stop string that the model never saw."""
    consequences = {"prompt": "read as the unknown character", "stop": "it is never written, so nothing stops there"}
    for name, text in texts.items():
        unknown = preprocessor.vocabulary.unknown_characters(text)
        if unknown:
            listed = ", ".join(f"{character!r} ({count})" for character, count in unknown.items())
            print(f"{name}: characters unknown to the model: {listed}; {consequences[name]}", file=sys.stderr)


PIPELINE = TextGeneration()
