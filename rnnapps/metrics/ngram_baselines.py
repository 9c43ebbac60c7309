"""N-gram baselines of a running text: single symbols, and n-grams of the length that suits it best."""

from __future__ import annotations

from rnnapps.metrics.ngram import score_orders
from rnnapps.types import Array

__all__ = ["LONGEST", "MOST_SYMBOLS", "SHORTEST", "best_order", "ngram_losses"]

SHORTEST, LONGEST = 3, 12
"""The orders that are tried."""
MOST_SYMBOLS, MOST_HELD_OUT = 20_000_000, 200_000
HELD_OUT_SHARE = 0.1


def ngram_losses(train: Array, held_out: Array, *, vocabulary_size: int, shortest: int = SHORTEST) -> dict[str, Array]:
    """Scores a unigram model and the best n-gram model of a training text on held-out ids.

    Of training texts longer than 20 million symbols the last 20 million are counted: time and memory stay bounded.

    Args:
        train: training ids `(symbols,)`.
        held_out: ids to score; all but the first are scored.
        vocabulary_size: number of ids.
        shortest: the shortest n-grams that are tried.

    Returns:
        Name of each model, such as "7-gram Kneser-Ney" -> nats of each scored id, float64 `(symbols - 1,)`. Of a
        training text that is too short for n-grams there is the unigram model alone.
    """
    known = train[-MOST_SYMBOLS:]
    order = best_order(known, vocabulary_size=vocabulary_size, shortest=shortest)
    names = {order: f"{order}-gram Kneser-Ney", 1: "unigram"}
    scored = score_orders(known, [held_out], longest=order, vocabulary_size=vocabulary_size)
    return {names[length]: -texts[0][1:] for length, texts in scored if length in names}


def best_order(train: Array, *, vocabulary_size: int, shortest: int = SHORTEST) -> int:
    """The length of n-grams, up to 12, that predicts the end of the training text best, given all before it.

    The end is the last tenth, or the last 200,000 symbols of a longer text. 1 where it is too short to tell.
    """
    cut = len(train) - min(round(HELD_OUT_SHARE * len(train)), MOST_HELD_OUT)
    longest = min(LONGEST, cut)
    if longest < shortest or cut == len(train):
        return 1
    scored = score_orders(train[:cut], [train[cut:]], longest=longest, vocabulary_size=vocabulary_size)
    means = {order: float(texts[0].mean()) for order, texts in scored if order >= shortest}
    return max(means, key=lambda order: means[order])
