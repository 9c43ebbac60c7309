"""Whether data look like videos of several classes."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import head_of
from rnnapps.tasks.video_recognition.data.frame_folders import PICTURE_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["recognise"]


def recognise(source: str) -> Recognised | None:
    """Most of the files are videos or their pictures, or most of the lines name a video."""
    head = head_of(source)
    if head.path.is_dir():
        named = {"videos": VIDEO_SUFFIXES, "pictures of films": PICTURE_SUFFIXES}
        return next((Recognised(head.told(kind, noun)) for noun, kind in named.items() if head.share(kind) > 0.5), None)
    return Recognised("a table that names videos") if head.naming(VIDEO_SUFFIXES) > 0.5 else None
