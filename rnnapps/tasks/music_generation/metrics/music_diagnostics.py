"""What generated music is like, in a few figures that can be compared with those of real pieces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnapps.tasks.music_generation.data.piece import Piece

__all__ = ["longest_repetition", "music_diagnostics", "share_in_key"]

MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)


def music_diagnostics(pieces: Sequence[Piece], *, steps_per_beat: int) -> dict[str, float]:
    """The mean of each figure over pieces with notes.

    Args:
        pieces: pieces of similar length: entropy and repetition grow with it.
        steps_per_beat: grid steps in a quarter note.

    Returns:
        `pitch_class_entropy_bits` of the twelve pitch classes (at most 3.58), `notes_per_beat`, `notes_at_once` (mean
        while anything sounds), `longest_repetition_beats` and `share_in_key`; empty without notes.
    """
    rows = [_figures(piece, steps_per_beat) for piece in pieces if len(piece.notes)]
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} if rows else {}


def _figures(piece: Piece, steps_per_beat: int) -> dict[str, float]:
    """Those of one piece."""
    lengths = piece.notes[:, 1] - piece.notes[:, 0]
    changes = np.zeros(piece.steps + 1)
    np.add.at(changes, piece.notes[:, 0], 1)
    np.add.at(changes, piece.notes[:, 1], -1)
    sounding = int((np.cumsum(changes)[:-1] > 0).sum())
    classes = np.bincount(piece.notes[:, 2] % 12, minlength=12) / len(piece.notes)
    present = classes[classes > 0]
    return {
        "pitch_class_entropy_bits": float(-(present * np.log2(present)).sum()) + 0.0,
        "notes_per_beat": len(piece.notes) * steps_per_beat / piece.steps,
        "notes_at_once": float(lengths.sum()) / sounding,
        "longest_repetition_beats": longest_repetition(piece) / steps_per_beat,
        "share_in_key": share_in_key(piece),
    }


def share_in_key(piece: Piece) -> float:
    """Share of the notes that belong to the major scale (or its relative natural minor) that fits most of them."""
    classes = np.bincount(piece.notes[:, 2] % 12, minlength=12)
    best = max(sum(classes[(tonic + step) % 12] for step in MAJOR_SCALE) for tonic in range(12))
    return float(best / classes.sum())


def longest_repetition(piece: Piece) -> int:
    """Length in steps of the longest passage that occurs twice in a piece without overlap.

    A passage is which notes start at each of its steps; its last step starts a note.
    """
    starts = dict[int, set[int]]()
    for start, _, pitch, _ in piece.notes.tolist():
        starts.setdefault(start, set()).add(pitch)
    known: dict[frozenset[int], int] = {frozenset(): 0}
    ids = np.array([known.setdefault(frozenset(starts.get(step, ())), len(known)) for step in range(piece.steps)])
    best, before = 0, np.zeros(len(ids) + 1, np.int64)
    for end in range(len(ids)):
        # lengths[other + 1]: steps that the passages ending here and at `other` have in common, without overlap
        lengths = np.zeros_like(before)
        others = np.arange(end)
        same = ids[:end] == ids[end]
        lengths[1 : end + 1] = np.where(same, np.minimum(before[:end] + 1, end - others), 0)
        if ids[end]:
            best = max(best, int(lengths.max()))
        before = lengths
    return best
