"""How long recordings are cut. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Segmentation", "SegmentationConfig"]

Segmentation = Literal["energy", "windows"]


@dataclass(frozen=True)
class SegmentationConfig:
    """How a recording is cut that is longer than a segment.

    Attributes:
        method: `energy` cuts at pauses, where it is not louder than its background; `windows` blindly.
        longest_seconds: of a segment.
        pause_seconds: shortest pause that ends a segment.
    """

    method: Segmentation = "energy"
    longest_seconds: float = 30.0
    pause_seconds: float = 0.5
