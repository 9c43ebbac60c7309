"""What an exported forecaster lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["ForecastExportConfig"]


@dataclass(frozen=True)
class ForecastExportConfig(ExportConfig):
    """What an export contains, and the longest histories that it serves.

    Attributes:
        longest_history: most rows of a history, of which the last decide; a longer one gets a problem.
    """

    longest_history: int = 100_000
