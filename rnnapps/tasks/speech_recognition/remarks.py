"""What a person should know of a recogniser's results: what it cannot write, and where it heard nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from rnnapps.tasks.speech_recognition.preprocessing.alphabet import Alphabet, split_symbols
from rnnapps.types import Array

__all__ = ["empty_remark", "evaluation_remarks", "unknown_symbols"]

SHOWN = 8
SILENCE = 1e-4
"""Largest sample of full scale 1 of what is called silent: three steps of 16 bits."""


def unknown_symbols(alphabet: Alphabet, references: Sequence[str]) -> dict[str, int]:
    """Symbols of transcripts that no output of the model stands for, and how often each occurs, the commonest first."""
    known = set(alphabet.symbols)
    found = Counter(symbol for text in references for symbol in split_symbols(text, alphabet.unit))
    return {symbol: count for symbol, count in found.most_common() if symbol not in known}


def evaluation_remarks(alphabet: Alphabet, references: Sequence[str], texts: Sequence[str]) -> Iterator[str]:
    """Lines to tell beside the error rates.

    Args:
        alphabet: what the model can write.
        references: what is said in each recording.
        texts: what the model has written.
    """
    unknown = unknown_symbols(alphabet, references)
    if unknown:
        listed = ", ".join(f"{symbol!r} ({count:,})" for symbol, count in list(unknown.items())[:SHOWN])
        more = f" and {len(unknown) - SHOWN:,} more" if len(unknown) > SHOWN else ""
        yield (
            f"note: the model cannot write {alphabet.unit} of these transcripts: {listed}{more}; each is an error: "
            f"finetune on transcripts that hold them"
        )
    empty = sum(not text for text in texts)
    if empty:
        yield f"note: {empty:,} of {len(texts):,} recordings were transcribed as nothing at all"


def empty_remark(place: str, samples: Array) -> str:
    """A line on a recording of which nothing was transcribed.

    Args:
        place: what to call it.
        samples: float32 `(samples,)` of full scale 1.
    """
    loudest = float(np.abs(samples).max(initial=0.0))
    heard = "it is silent" if loudest <= SILENCE else f"its loudest sample is {loudest:.2g} of full scale"
    return f"note: {place}: nothing was recognised; {heard}"
