"""How long recordings are cut. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Segmentation", "SegmentationConfig", "segment_seconds"]

LONGEST_SEGMENTS = 5.0, 30.0
"""Seconds of the longest segment where nobody says them: at least, and at most."""

Segmentation = Literal["network", "energy", "windows"]


@dataclass(frozen=True)
class SegmentationConfig:
    """How a recording is cut that is longer than a segment.

    Attributes:
        method: `network` cuts at pauses, where a small recurrent network hears no voice; `energy` where sound is no
            louder than its background; `windows` blindly.
        longest_seconds: of a segment.
        pause_seconds: shortest pause that ends a segment.
    """

    method: Segmentation = "network"
    longest_seconds: float = 30.0
    pause_seconds: float = 0.5


def segment_seconds(longest_trained: float) -> float:
    """Seconds of the longest segment for a network whose longest training recording took so many."""
    least, most = LONGEST_SEGMENTS
    return min(max(longest_trained, least), most)
