"""Word and character error rates, and which words are taken for which, by jiwer."""

from __future__ import annotations

from collections.abc import Sequence

import jiwer
import numpy as np

from rnnapps.types import Array

__all__ = ["confused_words", "error_rates", "error_statistics", "recognition_errors"]


def error_rates(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """Error rates over all utterances together: substitutions, insertions and deletions by length of the references.

    Args:
        references: what was said, none of them empty.
        hypotheses: what was recognised.
    """
    words = jiwer.process_words(list(references), list(hypotheses))
    characters = jiwer.process_characters(list(references), list(hypotheses))
    wrong = sum(expected != heard for expected, heard in zip(references, hypotheses, strict=True))
    return {
        "word_error_rate": float(words.wer),
        "character_error_rate": float(characters.cer),
        "sentence_error_rate": wrong / len(references),
    }


def error_statistics(references: Sequence[str], hypotheses: Sequence[str]) -> Array:
    """What each utterance adds to the word error rate: wrong words and words said, float64 `(utterances, 2)`."""
    aligned = jiwer.process_words(list(references), list(hypotheses))
    wrong = [sum(_chunk_errors(chunk) for chunk in chunks) for chunks in aligned.alignments]
    return np.array([wrong, [len(words) for words in aligned.references]], np.float64).T


def _chunk_errors(chunk: jiwer.AlignmentChunk) -> int:
    """Words substituted, inserted or deleted in a stretch of an alignment."""
    lengths = (chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
    return 0 if chunk.type == "equal" else max(lengths)


def recognition_errors(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, float]:
    """Numbers of words: in the references, substituted, inserted and deleted."""
    aligned = jiwer.process_words(list(references), list(hypotheses))
    return {
        "words": float(aligned.hits + aligned.substitutions + aligned.deletions),
        "substitutions": float(aligned.substitutions),
        "insertions": float(aligned.insertions),
        "deletions": float(aligned.deletions),
    }


def confused_words(references: Sequence[str], hypotheses: Sequence[str]) -> dict[tuple[str, str], int]:
    """How often each word was recognised as each; "" stands for a word that is missing on that side."""
    aligned = jiwer.process_words(list(references), list(hypotheses))
    counts: dict[tuple[str, str], int] = {}
    for said, heard, chunks in zip(aligned.references, aligned.hypotheses, aligned.alignments, strict=True):
        for chunk in chunks:
            left = said[chunk.ref_start_idx : chunk.ref_end_idx]
            right = heard[chunk.hyp_start_idx : chunk.hyp_end_idx]
            size = max(len(left), len(right))
            for pair in zip([*left, *[""] * (size - len(left))], [*right, *[""] * (size - len(right))], strict=True):
                counts[pair] = counts.get(pair, 0) + 1
    return counts
