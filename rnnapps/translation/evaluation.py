"""Scores of a translation model on held-out pairs, beside baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from rnnapps.data.pairs.pairs import Pair, PairSplits
from rnnapps.metrics.translation import score_translations, signatures
from rnnapps.metrics.word_dictionary import WordDictionary
from rnnapps.pipeline import Evaluation
from rnnapps.translation.batches import encode_pairs
from rnnapps.translation.decoding import BEAMS, LENGTH_PENALTY, translator
from rnnapps.translation.objective import pair_scorer
from rnnapps.translation.vocabularies import PairVocabularies

__all__ = ["evaluate_translation", "translate_all"]


def evaluate_translation(
    network: keras.Model, vocabularies: PairVocabularies, pairs: PairSplits, *, lowercase: bool
) -> Evaluation:
    """BLEU, chrF, exact matches and perplexity with beam search; greedy search among the diagnostics.

    Args:
        network: with its best weights.
        vocabularies: its vocabularies.
        pairs: the data; the validation pairs are scored where there are no test pairs.
        lowercase: whether the model writes in lower case; case is then ignored.
    """
    split = "validation" if pairs.test is None else "test"
    held_out = pairs.validation if pairs.test is None else pairs.test

    def score(texts: Sequence[str]) -> dict[str, float]:
        return score_translations(texts, [pair.target for pair in held_out], lowercase=lowercase)

    found = score(translate_all(network, vocabularies, held_out, beams=BEAMS))
    greedy = score(translate_all(network, vocabularies, held_out, beams=1))
    perplexity = pair_scorer(network, encode_pairs(vocabularies, held_out))()
    return Evaluation(
        metrics={**found, **perplexity},
        baselines={name: score(texts) for name, texts in _baselines(pairs.train, held_out, lowercase).items()},
        examples=len(held_out),
        split=split,
        diagnostics={
            **{f"greedy_{name}": value for name, value in greedy.items()},
            "beams": float(BEAMS),
            "length_penalty": LENGTH_PENALTY,
            "source_unknown_percent": 100 * vocabularies.source.unknown_share([pair.source for pair in held_out]),
            **{f"{name}_signature": text for name, text in signatures(lowercase=lowercase).items()},
        },
    )


def translate_all(
    network: keras.Model, vocabularies: PairVocabularies, pairs: Sequence[Pair], *, beams: int
) -> list[str]:
    """The best translation of each pair's source."""
    write = translator(network, vocabularies, beams=beams, length_penalty=LENGTH_PENALTY)
    return [best[0][0] for best in write([pair.source for pair in pairs])]


def _baselines(train: Sequence[Pair], held_out: Sequence[Pair], lowercase: bool) -> dict[str, Any]:
    def cased(text: str) -> str:
        return text.lower() if lowercase else text

    known = WordDictionary([cased(pair.source) for pair in train], [cased(pair.target) for pair in train])
    return {
        "copied source": [pair.source for pair in held_out],
        "word by word": [known.translate(cased(pair.source)) for pair in held_out],
    }
