"""Translation: learns to turn sentences of one kind into sentences of another.

rnnapps translation train --data.source pairs.tsv --run runs/translation/pairs
rnnapps translation predict --run runs/translation/pairs --sentence "Guten Tag!"
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from rnnapps.config import TrainingConfig, require, require_seed
from rnnapps.contract.bad_examples import BadExample
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.contract.objective import Objective
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.data.bad_examples import answered
from rnnapps.data.large_data import LARGE_DATA_SETTINGS
from rnnapps.data.line_input import STANDARD_INPUT, LineInput, line_text
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.translation.data.config import PairDataConfig
from rnnapps.tasks.translation.export_config import TranslationExportConfig
from rnnapps.tasks.translation.model_config import DecodingConfig, TranslationModelConfig
from rnnapps.tasks.translation.translated import Alternative, TranslatedSentence

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from rnnapps.contract.recognised import Recognised
    from rnnapps.contract.sections import Section
    from rnnapps.contract.vocabulary import VocabularyChange
    from rnnapps.tasks.translation.data.pairs import PairSplits
    from rnnapps.tasks.translation.vocabularies import PairVocabularies

__all__ = ["PIPELINE", "Config", "PredictOptions", "Translation"]

GivenPairs: TypeAlias = "Iterable[tuple[str, str]] | pd.DataFrame"

LONGEST_SENTENCE = 20_000
"""Characters of the longest sentence that is translated."""


@dataclass(frozen=True)
class Config:
    """A translation model.

    Attributes:
        data: where the sentence pairs come from, and what they are cut into.
        model: the network.
        training: how it is trained.
        decoding: how translations are searched for, in `evaluate`, `predict` and an export.
        export: what an export contains, and what it lets a row cost.
        seed: number that decides everything random.
    """

    data: PairDataConfig = field(default_factory=PairDataConfig)
    model: TranslationModelConfig = field(default_factory=TranslationModelConfig)
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(carry_state=False, batch_size=64, learning_rate=0.002)
    )
    decoding: DecodingConfig = field(default_factory=DecodingConfig)
    export: TranslationExportConfig = field(default_factory=TranslationExportConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the seed."""
        require_seed(self.seed)
        if self.training.carry_state:
            raise ConfigError("training.carry_state must be false: sentences have nothing to carry over")


@dataclass(frozen=True)
class PredictOptions:
    """What to translate.

    Attributes:
        sentence: text to translate; empty reads lines from standard input.
        n_best: translations of each sentence, at most `decoding.beam_width`.
    """

    sentence: str = ""
    n_best: int = 1

    def __post_init__(self) -> None:
        """Checks the values."""
        require("n_best", self.n_best, "at least 1", self.n_best >= 1)
        require(
            "sentence",
            f"of {len(self.sentence)} characters",
            f"of {LONGEST_SENTENCE:,} at most",
            len(self.sentence) <= LONGEST_SENTENCE,
        )
        if any("\ud800" <= character <= "\udfff" for character in self.sentence):
            raise ConfigError(f"sentence must be Unicode text, not {self.sentence!r}; give it in UTF-8")


class Translation(Pipeline[Config, "PairSplits", "PairVocabularies"]):
    """A sentence in, its translation out."""

    name: ClassVar[str] = "translation"
    summary: ClassVar[str] = "Translates sentences, with the words each word was made from."
    config_class = Config
    predict_class = PredictOptions
    run_frees: ClassVar[frozenset[str]] = LARGE_DATA_SETTINGS | {"data.test"}
    training_lacks: ClassVar[Mapping[str, str]] = {"window_steps": "sentences are read whole"}
    intended_use: ClassVar[str] = "Translating single sentences of the kind the model was trained on."
    limitations: ClassVar[tuple[str, ...]] = (
        "It translates sentence by sentence and knows nothing of the text around them.",
        "Words that are rare in its training pairs, names and numbers above all, may come out wrong, and fluently so.",
        "It may leave out or repeat parts of long sentences.",
    )
    higher_is_better: ClassVar[frozenset[str]] = frozenset(("bleu", "chrf", "exact_match_percent", "greedy_bleu"))
    settings_before: ClassVar[Mapping[str, object]] = {"data.copied": (), "decoding.no_repeat": 0}
    evaluation_switches: ClassVar[dict[str, str]] = {"tune": "first choose the length penalty on the validation split"}

    def recognise(self, source: str) -> Recognised | None:
        """Whether data that nobody has said anything about look like those of this task."""
        from rnnapps.tasks.translation.recognise import recognise

        return recognise(source)

    def examples(self, config: Config, given: GivenPairs | Mapping[str, GivenPairs] | None = None) -> PairSplits:
        """Reads the pairs, filters and splits them.

        From Python pairs (sentence, translation) may be given, a frame of two columns, or a mapping of splits of them.
        """
        from rnnapps.tasks.translation.data.splits import read_pair_splits

        return read_pair_splits(config.data, given)

    def look(self, config: Config, given: GivenPairs | Mapping[str, GivenPairs] | None = None) -> DataReport:
        """What is understood of the data."""
        from rnnapps.tasks.translation.data_report import look_at_pairs

        return look_at_pairs(config.data, config.training, given)

    def fit_preprocessor(self, config: Config, splits: PairSplits) -> PairVocabularies:
        """The tokens of the training pairs."""
        from rnnapps.tasks.translation.vocabularies import PairVocabularies

        if splits.dropped:
            reasons = ", ".join(f"{count:,} ({reason})" for reason, count in splits.dropped.items())
            print(f"of {splits.read:,} training pairs dropped: {reasons}", file=sys.stderr)
        return PairVocabularies.fit(config.data, splits.train)

    def load_preprocessor(self, folder: Path) -> PairVocabularies:
        """The tokens a run or an export knows."""
        from rnnapps.tasks.translation.vocabularies import PairVocabularies

        return PairVocabularies.load(folder)

    def grow_preprocessor(self, config: Config, preprocessor: PairVocabularies, splits: PairSplits) -> PairVocabularies:
        """Adds what the new pairs need behind the known tokens."""
        return preprocessor.grow(config.data, splits.train)

    def vocabulary_changes(
        self, network: keras.Model, old: PairVocabularies, new: PairVocabularies
    ) -> list[VocabularyChange]:
        """Tokens keep their rows by name."""
        from rnnapps.contract.vocabulary import VocabularyChange
        from rnnapps.tasks.translation.vocabularies import vocabulary_axes

        axes = vocabulary_axes(network)
        sides = ((old.source, new.source, axes["source"]), (old.target, new.target, axes["target"]))
        return [VocabularyChange(before.names, after.names, paths) for before, after, paths in sides]

    def build_model(self, config: Config, preprocessor: PairVocabularies) -> keras.Model:
        """Encoder, attention, decoder."""
        from rnnapps.tasks.translation.network import translation_network

        return translation_network(config.model, preprocessor.source.size, preprocessor.target.size)

    def objective(self, fitted: Fitted[Config, PairVocabularies], splits: PairSplits) -> Objective:
        """Cross-entropy of the target tokens; BLEU of greedy translations decides."""
        from rnnapps.tasks.translation.objective import translation_objective

        return translation_objective(
            fitted.network,
            fitted.preprocessor,
            splits,
            model=fitted.config.model,
            training=fitted.config.training,
            lowercase=fitted.config.data.lowercase,
            seed=fitted.config.seed,
        )

    def evaluate(
        self,
        fitted: Fitted[Config, PairVocabularies],
        splits: PairSplits,
        *,
        tune: bool = False,
    ) -> Evaluation:
        """BLEU, chrF and perplexity on held-out pairs, beside copying and a dictionary."""
        from rnnapps.tasks.translation.evaluation import evaluate_translation

        return evaluate_translation(
            fitted.network,
            fitted.preprocessor,
            splits,
            fitted.config.decoding,
            lowercase=fitted.config.data.lowercase,
            tune=tune,
        )

    def endpoints(self, fitted: Fitted[Config, PairVocabularies]) -> dict[str, Endpoint]:
        """`serving_default` translates, `n_best` gives alternatives, `tensors` scores given translations."""
        from rnnapps.tasks.translation.endpoints import translation_endpoints

        return translation_endpoints(fitted.network, fitted.preprocessor, fitted.config.decoding, fitted.config.export)

    def predict(
        self,
        fitted: Fitted[Config, PairVocabularies],
        options: PredictOptions,
        given: str | Sequence[str] | None = None,
    ) -> Iterable[TranslatedSentence | BadExample]:
        """The translations of the sentences; from Python one may be given, or a list of them."""
        translate = _translate(fitted, options.n_best)
        if given is not None or options.sentence:
            return translate([options.sentence] if given is None else list(_given_sentences(given)))
        lines = list(answered(_lines(), many=True))
        found = iter(translate([line for line in lines if isinstance(line, str)]))
        return [line if isinstance(line, BadExample) else next(found) for line in lines]

    def stream(
        self,
        fitted: Fitted[Config, PairVocabularies],
        options: PredictOptions,
        given: str | Iterable[str] | None = None,
    ) -> Iterator[TranslatedSentence]:
        """The translation of each line of standard input, as soon as it is known; from Python any sentences."""
        return self.continue_stream(fitted, options, StreamMemory(), given)

    def continue_stream(
        self,
        fitted: Fitted[Config, PairVocabularies],
        options: PredictOptions,
        memory: StreamMemory,
        given: str | Iterable[str] | None = None,
    ) -> Iterator[TranslatedSentence]:
        """The same of the lines that follow; a sentence that was given is translated once."""
        translate = _translate(fitted, options.n_best)
        if given is None and not options.sentence:
            for sentence in _sentences(memory):
                yield from translate([sentence])
        else:
            sentences = [options.sentence] if given is None else _given_sentences(given)
            found = (result for sentence in sentences for result in translate([sentence]))
            yield from memory.after_given(found, of=options.sentence) if given is None else found

    def report_sections(
        self,
        fitted: Fitted[Config, PairVocabularies],
        splits: PairSplits,
        samples: Sequence[str],
    ) -> Sequence[Section]:
        """What was dropped, attention maps, and BLEU by length."""
        from rnnapps.tasks.translation.report import translation_sections

        return translation_sections(
            fitted.network, fitted.preprocessor, splits, fitted.config.decoding, lowercase=fitted.config.data.lowercase
        )


def _translate(
    fitted: Fitted[Config, PairVocabularies], n_best: int
) -> Callable[[Sequence[str]], list[TranslatedSentence]]:
    """A function that translates sentences."""
    from rnnapps.tasks.translation.decoding import translator

    decoding = fitted.config.decoding
    require("n_best", n_best, f"from 1 to decoding.beam_width ({decoding.beam_width})", n_best <= decoding.beam_width)
    write = fitted.once(
        f"translator of {n_best}",
        lambda: translator(fitted.network, fitted.preprocessor, decoding, n_best=n_best),
    )

    def translate(sentences: Sequence[str]) -> list[TranslatedSentence]:
        results = []
        for sentence, best in zip(sentences, write(sentences), strict=True):
            alternatives = tuple(Alternative(other.text, other.score) for other in best) if n_best > 1 else ()
            if best[0].appended:
                print(f"note: {best[0].text!r}: the last {best[0].appended} had been left out", file=sys.stderr)
            results.append(TranslatedSentence(sentence, best[0].text, best[0].score, alternatives, best[0].appended))
        return results

    return translate


def _sentences(memory: StreamMemory) -> Iterator[str]:
    """The lines of standard input as they come."""
    lines = LineInput("-", memory)
    for line in lines:
        text = _sentence(line, lines.number)
        lines.done()
        yield text
        memory.passed()


def _lines() -> Iterator[Callable[[], str]]:
    """What gives each line of standard input, or raises DataError."""
    lines = LineInput("-", StreamMemory())
    for line in lines:
        yield partial(_sentence, line, lines.number)


def _sentence(line: bytes, number: int) -> str:
    """The sentence of a line of standard input."""
    text = line_text(STANDARD_INPUT, number, line)
    if len(text) > LONGEST_SENTENCE:
        problem = f"line {number} has {len(text):,} characters; at most {LONGEST_SENTENCE:,} are translated"
        raise DataError(STANDARD_INPUT, problem, "cut it into sentences")
    return text


def _given_sentences(given: str | Iterable[str]) -> Iterator[str]:
    """Sentences from Python, one by one as they come."""
    from rnnapps.data.text.given import iterate_texts

    for index, sentence in enumerate(iterate_texts(given, "sentence", whole="inputs")):
        if len(sentence) > LONGEST_SENTENCE:
            problem = f"sentence[{index}] has {len(sentence):,} characters; at most {LONGEST_SENTENCE:,} are translated"
            raise DataError("inputs", problem, "cut it into sentences")
        yield sentence


PIPELINE = Translation()
