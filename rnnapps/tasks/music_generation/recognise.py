"""Whether data look like pieces of music."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import head_of
from rnnapps.tasks.music_generation.data.music import MIDI_SUFFIXES
from rnnapps.tasks.music_generation.data.scores import SCORE_SUFFIXES

__all__ = ["recognise"]


def recognise(source: str) -> Recognised | None:
    """Most of the files are MIDI files or scores."""
    head, known = head_of(source), (*MIDI_SUFFIXES, *SCORE_SUFFIXES)
    return Recognised(head.told(known, "pieces of music")) if head.share(known) > 0.5 else None
