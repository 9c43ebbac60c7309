"""What an exported detector lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["DetectorExportConfig"]


@dataclass(frozen=True)
class DetectorExportConfig(ExportConfig):
    """What an export contains, and the longest windows that it serves: the longest of a batch holds the others.

    Attributes:
        longest_window: most rows of a window; a longer one gets a problem, and can go through `step`.
    """

    longest_window: int = 2_000
