"""Scores of a translation model on held-out pairs, beside baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import keras

from rnnapps.contract.evaluation import MODEL, Comparison, Evaluation
from rnnapps.errors import ConfigError
from rnnapps.tasks.translation.batches import encode_pairs
from rnnapps.tasks.translation.data.pairs import Pair, PairSplits
from rnnapps.tasks.translation.data.stored_pairs import StoredPairs
from rnnapps.tasks.translation.decoding import GREEDY, Written, translator
from rnnapps.tasks.translation.model_config import DecodingConfig
from rnnapps.tasks.translation.objective import pair_scorer
from rnnapps.tasks.translation.scores import bleu_of, bleu_statistics, score_translations, signatures
from rnnapps.tasks.translation.vocabularies import PairVocabularies
from rnnapps.tasks.translation.word_dictionary import WordDictionary

__all__ = ["PENALTIES", "evaluate_translation", "translate_all"]

PENALTIES = (0.0, 0.4, 0.7, 1.0, 1.3, 1.6, 2.0)
"""Length penalties that `--tune` compares."""
MOST_TUNED = 1024
MOST_ALIGNED = 500_000
"""Pairs on disk of which the words are aligned, evenly spread."""


def evaluate_translation(
    network: keras.Model,
    vocabularies: PairVocabularies,
    pairs: PairSplits,
    decoding: DecodingConfig,
    *,
    lowercase: bool,
    tune: bool = False,
) -> Evaluation:
    """BLEU, chrF, exact matches and perplexity with beam search; greedy search among the diagnostics.

    Args:
        network: with its best weights.
        vocabularies: its vocabularies.
        pairs: the data; the validation pairs are scored where there are no test pairs.
        decoding: how translations are searched for.
        lowercase: whether the model writes in lower case; case is then ignored.
        tune: first choose the length penalty on the validation pairs.

    Raises:
        ConfigError: the length penalty is to be tuned where there are no test pairs, or no beam.
    """
    chosen: dict[str, float] = {}
    if tune:
        decoding, chosen = _tuned(network, vocabularies, pairs, decoding, lowercase=lowercase)
    split, held_out = ("validation", pairs.validation) if pairs.test is None else ("test", pairs.test)
    references = pairs.scored_references()

    def score(texts: Sequence[str]) -> dict[str, float]:
        return score_translations(texts, references, lowercase=lowercase)

    written = {MODEL: translate_all(network, vocabularies, held_out, decoding)}
    written |= _baselines(pairs.train, held_out, lowercase)
    scores = {name: score(texts) for name, texts in written.items()}
    # A beam of one is greedy search, which is not run twice.
    alone = decoding.beam_width == 1
    greedy = score(written[MODEL] if alone else translate_all(network, vocabularies, held_out, _greedy(decoding)))
    perplexity = pair_scorer(network, encode_pairs(vocabularies, held_out))()
    return Evaluation(
        metrics={**scores.pop(MODEL), **perplexity},
        baselines=scores,
        examples=len(held_out),
        split=split,
        diagnostics={
            **{f"greedy_{name}": value for name, value in greedy.items()},
            "beam_width": float(decoding.beam_width),
            "length_penalty": decoding.length_penalty,
            **chosen,
            "source_unknown_percent": 100 * vocabularies.source.unknown_share([pair.source for pair in held_out]),
            **{f"{name}_signature": text for name, text in signatures(lowercase=lowercase).items()},
        },
        comparison=_compared(written, references, lowercase),
    )


def _greedy(decoding: DecodingConfig) -> DecodingConfig:
    """The same without a beam."""
    return replace(GREEDY, no_repeat=decoding.no_repeat)


def _compared(written: Mapping[str, Sequence[str]], references: Sequence[Sequence[str]], lowercase: bool) -> Comparison:
    """Model and baselines by BLEU, pair by pair."""
    statistics = {name: bleu_statistics(texts, references, lowercase=lowercase) for name, texts in written.items()}
    return Comparison("bleu", statistics, bleu_of, part="sentence pairs")


def translate_all(
    network: keras.Model, vocabularies: PairVocabularies, pairs: Sequence[Pair], decoding: DecodingConfig
) -> list[str]:
    """The best translation of each pair's source."""
    return _best(translator(network, vocabularies, decoding)([pair.source for pair in pairs]))


def _best(ranked: Sequence[Sequence[Written]]) -> list[str]:
    """The first text of each list of translations."""
    return [translations[0].text for translations in ranked]


def _tuned(
    network: keras.Model,
    vocabularies: PairVocabularies,
    pairs: PairSplits,
    decoding: DecodingConfig,
    *,
    lowercase: bool,
) -> tuple[DecodingConfig, dict[str, float]]:
    """The length penalty with the highest BLEU on validation pairs, of several the smallest."""
    if pairs.test is None:
        raise ConfigError("--tune needs test pairs beside the validation pairs it chooses on; give --data.test")
    if decoding.beam_width == 1:
        raise ConfigError("--tune needs --decoding.beam_width of at least 2: a length penalty ranks hypotheses")
    held_out, write = pairs.validation[:MOST_TUNED], translator(network, vocabularies, decoding)
    scores = []
    for penalty in PENALTIES:
        texts = _best(write([pair.source for pair in held_out], length_penalty=penalty))
        bleu = score_translations(texts, [[pair.target] for pair in held_out], lowercase=lowercase)["bleu"]
        scores.append((bleu, -penalty))
    bleu, negative = max(scores)
    return replace(decoding, length_penalty=-negative), {"validation_bleu": bleu}


def _baselines(train: Sequence[Pair], held_out: Sequence[Pair], lowercase: bool) -> dict[str, list[str]]:
    """What a model must beat: the source as it is, and a dictionary learned from aligned words."""

    def cased(text: str) -> str:
        return text.lower() if lowercase else text

    known_pairs = train.evenly(MOST_ALIGNED) if isinstance(train, StoredPairs) else train
    sides = ([cased(pair[side]) for pair in known_pairs] for side in (0, 1))
    known = WordDictionary(*sides)
    return {
        "copied source": [pair.source for pair in held_out],
        "word by word": [known.translate(cased(pair.source)) for pair in held_out],
    }
