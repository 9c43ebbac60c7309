"""Whether data look like recordings with their transcripts."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import head_of
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES
from rnnapps.tasks.speech_recognition.data.manifests import MANIFEST_SUFFIXES

__all__ = ["recognise"]

KALDI = "wav.scp"


def recognise(source: str) -> Recognised | None:
    """There are recordings and, beside them or in a table, what is said in them; or lines that name recordings."""
    head = head_of(source)
    if not head.path.is_dir():
        return Recognised("a table that names recordings") if head.naming(AUDIO_SUFFIXES) > 0.5 else None
    if (head.path / KALDI).is_file():
        return Recognised("a Kaldi folder")
    written = head.count((".txt", *MANIFEST_SUFFIXES))
    if (
        not written
        or head.share((*AUDIO_SUFFIXES, ".txt", *MANIFEST_SUFFIXES)) <= 0.5
        or not head.count(AUDIO_SUFFIXES)
    ):
        return None
    return Recognised(f"{head.told(AUDIO_SUFFIXES, 'recordings')} with transcripts")
