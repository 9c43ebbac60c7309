"""Whether data look like recordings with their transcripts."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import Head, head_of
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES
from rnnapps.tasks.speech_recognition.data.beside import TEXT_SUFFIXES
from rnnapps.tasks.speech_recognition.data.kaldi import RECORDINGS
from rnnapps.tasks.speech_recognition.data.manifests import MANIFEST_SUFFIXES
from rnnapps.tasks.speech_recognition.data.sound_track import FILM_SUFFIXES

__all__ = ["recognise"]

WRITTEN = (*TEXT_SUFFIXES, *MANIFEST_SUFFIXES)
SOUNDS = tuple(suffix for suffix in AUDIO_SUFFIXES if suffix not in FILM_SUFFIXES)


def recognise(source: str) -> Recognised | None:
    """There are recordings and, beside them or in a table, what is said in them; or lines that name recordings."""
    head = head_of(source)
    if (head.path / RECORDINGS).is_file():
        return Recognised("a Kaldi folder")
    if _holds(head, SOUNDS):
        return Recognised(_named(head, SOUNDS, "recordings"))
    return (
        Recognised(_named(head, FILM_SUFFIXES, "films with sound"), plain=False)
        if _holds(head, FILM_SUFFIXES)
        else None
    )


def _holds(head: Head, suffixes: tuple[str, ...]) -> bool:
    """Whether most lines name such a file; of a folder, whether most files are such ones and texts, some of both."""
    if not head.path.is_dir():
        return head.naming(suffixes) > 0.5
    both = head.count(suffixes) and head.count(WRITTEN)
    return bool(both) and head.share((*suffixes, *WRITTEN)) > 0.5


def _named(head: Head, suffixes: tuple[str, ...], noun: str) -> str:
    return f"{head.told(suffixes, noun)} with transcripts" if head.path.is_dir() else f"a table that names {noun}"
