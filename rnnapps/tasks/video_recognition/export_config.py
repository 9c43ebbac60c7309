"""What an exported video model lets one row of a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from rnnapps.config import ExportConfig

__all__ = ["VideoExportConfig"]


@dataclass(frozen=True)
class VideoExportConfig(ExportConfig):
    """What an export contains, and the largest pictures that it decodes; their headers are read first.

    Attributes:
        largest_picture: most pixels of a frame (2048 x 2048); a row with a larger one gets a problem.
        largest_video: most pixels of all frames of a row together.
    """

    largest_picture: int = 4_194_304
    largest_video: int = 134_217_728
