"""Scores of translations: BLEU and chrF as sacrebleu computes them, and perplexity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from rnnapps.types import Array

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

__all__ = ["bleu_of", "bleu_statistics", "score_translations", "signatures"]

ORDERS = 4
"""N-grams up to this length count in BLEU."""


def score_translations(
    translations: Sequence[str], references: Sequence[Sequence[str]], *, lowercase: bool = False
) -> dict[str, float]:
    """Corpus scores, each from 0 to 100.

    `bleu` is Papineni et al. 2002 with the 13a tokenisation, `chrf` is chrF2 of Popović 2015, both by sacrebleu
    (Post 2018, arXiv:1804.08771), whose signatures `signatures` returns; `exact_match_percent` is the share of
    translations that are one of their references, character by character.

    Args:
        translations: what a model wrote.
        references: one or more for each.
        lowercase: whether case is ignored.
    """
    bleu, chrf = _metrics(lowercase)
    cased: Callable[[str], str] = str.lower if lowercase else str
    same = [cased(own) in map(cased, wanted) for own, wanted in zip(translations, references, strict=True)]
    streams = list(zip_longest(*references))
    return {
        "bleu": float(bleu.corpus_score(translations, streams).score),
        "chrf": float(chrf.corpus_score(translations, streams).score),
        "exact_match_percent": 100.0 * sum(same) / len(same),
    }


def bleu_statistics(
    translations: Sequence[str], references: Sequence[Sequence[str]], *, lowercase: bool = False
) -> Array:
    """What each sentence adds to the BLEU of a corpus.

    Arguments as in `score_translations`.

    Returns:
        float64 `(sentences, 10)`: matched n-grams of length 1 to 4, n-grams of length 1 to 4, words written, words of
        the reference that is nearest in length.
    """
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(lowercase=lowercase, force=True, effective_order=True)  # only its counts are used
    scores = [bleu.sentence_score(own, wanted) for own, wanted in zip(translations, references, strict=True)]
    return np.array([[*score.counts, *score.totals, score.sys_len, score.ref_len] for score in scores], np.float64)


def bleu_of(sums: Array) -> Array:
    """BLEU from 0 to 100 of sums of `bleu_statistics` `(..., 10)`, as sacrebleu's corpus score.

    Precisions without a match are smoothed as in mteval-v13a ("exp"): 1 / (2 ** k total) for the k-th of them.
    """
    matched, total, written, wanted = sums[..., :ORDERS], sums[..., ORDERS:-2], sums[..., -2], sums[..., -1]
    halvings = np.cumsum(matched == 0, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(matched > 0, matched, 0.5**halvings) / total
        brevity = np.exp(np.minimum(0.0, 1 - wanted / written))
        score = 100 * brevity * np.exp(np.log(precisions).mean(axis=-1))
    return np.where((matched > 0).any(axis=-1) & (total > 0).all(axis=-1), score, 0.0)


def signatures(*, lowercase: bool = False) -> Mapping[str, str]:
    """How BLEU and chrF were computed, as sacrebleu writes it."""
    bleu, chrf = _metrics(lowercase)
    signed = {}
    for name, metric in (("bleu", bleu), ("chrf", chrf)):
        metric.corpus_score(["a"], [["a"]])
        signed[name] = str(metric.get_signature())
    return signed


def _metrics(lowercase: bool) -> tuple[BLEU, CHRF]:
    """The two metrics, imported when they are needed."""
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(lowercase=lowercase, force=True), CHRF(lowercase=lowercase)  # force: the naive ones look tokenised
