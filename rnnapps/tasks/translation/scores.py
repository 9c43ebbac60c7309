"""Scores of translations: BLEU and chrF as sacrebleu computes them, and perplexity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

__all__ = ["score_translations", "signatures"]


def score_translations(
    translations: Sequence[str], references: Sequence[str], *, lowercase: bool = False
) -> dict[str, float]:
    """Corpus scores, each from 0 to 100.

    `bleu` is Papineni et al. 2002 with the 13a tokenisation, `chrf` is chrF2 of Popović 2015, both by sacrebleu
    (Post 2018, arXiv:1804.08771), whose signatures `signatures` returns; `exact_match_percent` is the share of
    translations that are the reference, character by character.

    Args:
        translations: what a model wrote.
        references: one for each.
        lowercase: whether case is ignored.
    """
    bleu, chrf = _metrics(lowercase)
    same = [(a.lower() == b.lower()) if lowercase else a == b for a, b in zip(translations, references, strict=True)]
    return {
        "bleu": float(bleu.corpus_score(translations, [references]).score),
        "chrf": float(chrf.corpus_score(translations, [references]).score),
        "exact_match_percent": 100.0 * sum(same) / len(same),
    }


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
