"""Whether data look like recordings with their transcripts."""

from __future__ import annotations

from rnnapps.contract.recognised import Recognised
from rnnapps.data.look.heads import Head, head_of
from rnnapps.tasks.speech_recognition.data.audio import AUDIO_SUFFIXES
from rnnapps.tasks.speech_recognition.data.beside import TEXT_SUFFIXES
from rnnapps.tasks.speech_recognition.data.manifests import MANIFEST_SUFFIXES

__all__ = ["recognise"]

KALDI = "wav.scp"
WRITTEN = (*TEXT_SUFFIXES, *MANIFEST_SUFFIXES)
FILMS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".3gp",
    ".3g2",
    ".mkv",
    ".avi",
    ".mpg",
    ".mpeg",
    ".flv",
    ".wmv",
    ".asf",
    ".ogv",
    ".webm",
)
"""Files that have a sound track, and more likely are of interest for what is seen."""
SOUNDS = tuple(suffix for suffix in AUDIO_SUFFIXES if suffix not in FILMS)


def recognise(source: str) -> Recognised | None:
    """There are recordings and, beside them or in a table, what is said in them; or lines that name recordings."""
    head = head_of(source)
    if (head.path / KALDI).is_file():
        return Recognised("a Kaldi folder")
    if _holds(head, SOUNDS):
        return Recognised(_named(head, SOUNDS, "recordings"))
    return Recognised(_named(head, FILMS, "films with sound"), plain=False) if _holds(head, FILMS) else None


def _holds(head: Head, suffixes: tuple[str, ...]) -> bool:
    """Whether most lines name such a file; of a folder, whether most files are such ones and texts, some of both."""
    if not head.path.is_dir():
        return head.naming(suffixes) > 0.5
    both = head.count(suffixes) and head.count(WRITTEN)
    return bool(both) and head.share((*suffixes, *WRITTEN)) > 0.5


def _named(head: Head, suffixes: tuple[str, ...], noun: str) -> str:
    return f"{head.told(suffixes, noun)} with transcripts" if head.path.is_dir() else f"a table that names {noun}"
