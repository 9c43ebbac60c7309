"""What a text model is worth on text that it has not seen, beside counts of the text that it has."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.fitted import Fitted
from rnnapps.metrics.ngram_baselines import MOST_SYMBOLS
from rnnapps.metrics.text import compare_texts
from rnnapps.tasks.text_generation.completion.keystrokes import (
    frequent_words,
    keystrokes_saved,
    suggesting,
    typed_words,
)
from rnnapps.tasks.text_generation.completion.writer import Completer
from rnnapps.tasks.text_generation.data.text import TextSplits, joined
from rnnapps.tasks.text_generation.data.token_kinds import NOUNS
from rnnapps.tasks.text_generation.held_text import HeldText, naive_scores
from rnnapps.tasks.text_generation.predict_options import WritingConfig
from rnnapps.tasks.text_generation.preprocessor import TextPreprocessor
from rnnapps.tasks.text_generation.prompts import TextWriter
from rnnapps.tasks.text_generation.repetition import measure_repetition
from rnnapps.tasks.text_generation.scoring import Reader, text_scorer

__all__ = ["evaluate_text"]

TYPED_WORDS = 100

WRITTEN = 1000
"""About so many characters have the texts whose repetitions are counted: longer ones repeat more."""


def evaluate_text(
    fitted: Fitted[Any, TextPreprocessor], splits: TextSplits, *, read: Reader, write: TextWriter, complete: Completer
) -> Evaluation:
    """Scores the test text, or the validation text where there is none.

    Args:
        fitted: the model.
        splits: its text.
        read: reads a text with the network's weights.
        write: writes a few texts.
        complete: completes words.

    Raises:
        ConfigError: the settings name tokens of another kind than the model's.
    """
    fitted.preprocessor.require_tokens(fitted.config.data)
    vocabulary, split = fitted.preprocessor.vocabulary, "validation" if splits.test is None else "test"
    held_out = HeldText.of(vocabulary, getattr(splits, split))
    size = 1 if held_out.sizes is None else float(held_out.sizes.mean())
    repetition = measure_repetition(write([""], WritingConfig(length=round(WRITTEN / size), samples=4)))
    found = text_scorer(fitted.network, read, held_out, fitted.preprocessor.grams)()
    saved = _keystrokes(joined(splits.train, most=MOST_SYMBOLS), joined(getattr(splits, split)), complete)
    score, naive = found.model, naive_scores(vocabulary, splits.train, getattr(splits, split))
    return Evaluation(
        metrics=score.metrics(),
        baselines={name: own.metrics() for name, own in naive.items()},
        examples=len(score.losses),
        split=split,
        diagnostics={
            **{f"distinct_{n}_of_samples": value for n, value in repetition.distinct.items()},
            "longest_repeat_characters": float(len(repetition.longest_repeat)),
            "unknown_characters": float(np.isin(held_out.ids, vocabulary.reserved).sum()),
            **saved,
        },
        comparison=compare_texts(score, naive, metric="nats_per_character", part=f"{NOUNS[vocabulary.kind]}s"),
        alone={} if found.network is None else {"network alone": found.network.metrics()},
    )


def _keystrokes(train: str, held_out: str, complete: Completer) -> dict[str, float]:
    """The keys that the model spares who types words of a text, and those that the most frequent words spare."""
    words = typed_words(held_out, TYPED_WORDS)
    if not words:
        return {}
    return {
        "keystrokes_saved_percent": keystrokes_saved(words, suggesting(complete)),
        "keystrokes_saved_percent_by_frequent_words": keystrokes_saved(words, frequent_words(train)),
    }
