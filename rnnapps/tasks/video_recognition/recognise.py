"""Whether data look like videos of several classes."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import head_of
from rnnapps.tasks.video_recognition.data.sources import VIDEO_SUFFIXES

__all__ = ["recognise"]


def recognise(source: str) -> Recognised | None:
    """Most of the files are videos, or most of the lines name one."""
    head = head_of(source)
    if head.path.is_dir() and head.share(VIDEO_SUFFIXES) > 0.5:
        return Recognised(head.told(VIDEO_SUFFIXES, "videos"))
    return Recognised("a table that names videos") if head.naming(VIDEO_SUFFIXES) > 0.5 else None
