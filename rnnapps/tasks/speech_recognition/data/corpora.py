"""Corpora of speech in layouts of their own: LJSpeech, LibriSpeech, TIMIT, and folders of words."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rnnapps.data.bad_examples import GoodExamples
from rnnapps.data.compressed import plain_stem
from rnnapps.data.part_names import subset_part
from rnnapps.errors import DataError
from rnnapps.printable import name_list
from rnnapps.tasks.speech_recognition.data.manifests import file_text, speaker_of
from rnnapps.tasks.speech_recognition.data.row import Row

__all__ = ["librispeech_rows", "ljspeech_rows", "timit_rows", "word_folders", "word_rows"]

LISTS = {"validation_list.txt": "validation", "testing_list.txt": "test"}
"""Speech Commands names the clips of these parts; all others are for training."""

BACKGROUND = "_background_noise_"
_SPEAKER = re.compile(r"^(.+)_nohash_\d+$")
_TIMIT = re.compile(r"\s*\d+\s+\d+\s+(.*)", re.DOTALL)


def ljspeech_rows(folder: Path, good: GoodExamples) -> Iterator[Row]:
    """`metadata.csv`: name|transcript|normalised transcript, without quotation; recordings in `wavs/`."""
    path = folder / "metadata.csv"
    for number, line in enumerate(file_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        cells = line.split("|")
        if len(cells) not in (2, 3) or not cells[0].strip() or "\0" in cells[0]:
            problem = f"line {number}: expected name|transcript|normalised transcript"
            good.leave_out(DataError(path, problem, "correct the line"))
            continue
        yield Row(folder / "wavs" / f"{cells[0].strip()}.wav", cells[-1], "", f"{path}, line {number}")


def librispeech_rows(transcripts: Sequence[Path], good: GoodExamples) -> Iterator[Row]:
    """`SPEAKER/CHAPTER/SPEAKER-CHAPTER.trans.txt`: a line for each recording beside it, NAME TRANSCRIPT."""
    for path in transcripts:
        for number, line in enumerate(file_text(path).splitlines(), start=1):
            name, _, transcript = line.strip().partition(" ")
            if not name:
                continue
            if not re.fullmatch(r"[\w.]+(-[\w.]+)+", name):
                problem = f"line {number}: {name[:40]!r} is no name of a recording such as 84-121123-0000"
                good.leave_out(DataError(path, problem, "correct the line"))
                continue
            yield Row(path.parent / f"{name}.flac", transcript, name.split("-")[0], f"{path}, line {number}")


def timit_rows(texts: Sequence[Path], recordings: Sequence[Path], good: GoodExamples) -> Iterator[Row]:
    """`TRAIN/DR1/FCJF0/SA1.TXT`: first and last sample, then the sentence; the folder is called like the speaker.

    A recording is `SA1.WAV`, in NIST's SPHERE; of copies that have it again as `SA1.WAV.wav`, the first is read.
    """
    found = {audio.with_name(plain_stem(audio)): audio for audio in reversed(recordings)}
    for text in texts:
        stem = text.with_name(plain_stem(text))
        audio = found.get(stem) or next((found[path] for path in _doubled(stem) if path in found), None)
        said = _TIMIT.fullmatch(file_text(text))
        if audio is None:
            good.leave_out(DataError(text, "has no recording beside it", f"put {stem.name}.WAV there"))
        elif said is None:
            good.leave_out(DataError(text, "does not begin with two numbers of samples", "restore the file"))
        else:
            yield Row(audio, " ".join(said[1].split()), text.parent.name, str(text))


def _doubled(stem: Path) -> list[Path]:
    """What is left of `SA1.WAV.wav` without its ending."""
    return [stem.with_name(f"{stem.name}{ending}") for ending in (".WAV", ".wav")]


def word_folders(root: Path, recordings: Sequence[Path]) -> dict[Path, str]:
    """The folders of recordings whose names are what is said in them, as Speech Commands has them, and the words.

    Args:
        root: the folder above them, or above folders of parts.
        recordings: all within it.

    Returns:
        Nothing, unless all folders with recordings are called by words, and there are two words or more.
    """
    words: dict[Path, str] = {}
    for folder in dict.fromkeys(audio.parent for audio in recordings if audio.parent.name != BACKGROUND):
        inside = folder.relative_to(root).parts
        inside = inside[1:] if len(inside) == 2 and subset_part(inside[0]) else inside
        if len(inside) != 1 or not re.fullmatch(r"[^\W\d_]+(?:[ _'-][^\W\d_]+)*", inside[0]):
            return {}
        words[folder] = inside[0].replace("_", " ")
    return words if len(set(words.values())) > 1 else {}


def word_rows(
    root: Path, recordings: Sequence[Path], words: Mapping[Path, str], pattern: str, *, good: GoodExamples
) -> Iterator[Row]:
    """The recordings of words.

    Names such as `0a7c2a8d_nohash_0` tell the speaker; `validation_list.txt` and `testing_list.txt` name those that are
    held out.

    Args:
        root: the folder with those lists.
        recordings: all within it.
        words: folder -> what is said in its recordings.
        pattern: regular expression whose first group finds the speaker in a recording's name.
        good: counts recordings of which the speaker is not found.
    """
    listed, said = _listed_parts(root), sorted(set(words.values()))
    print(f"note: {root}: the folder of a recording is taken for what it says: {name_list(said)}", file=sys.stderr)
    for audio in (audio for audio in recordings if audio.parent in words):
        match = _SPEAKER.match(plain_stem(audio))
        try:
            speaker = speaker_of(audio, pattern, str(audio)) or (match[1] if match else "")
        except DataError as error:
            good.leave_out(error)
            continue
        part = listed.get(audio.relative_to(root).as_posix(), "train") if listed else ""
        yield Row(audio, words[audio.parent], speaker, str(audio), part=part)


def _listed_parts(root: Path) -> dict[str, str]:
    """The path within the folder of each recording that a list names -> the part."""
    return {
        line.strip(): part
        for name, part in LISTS.items()
        if (root / name).is_file()
        for line in file_text(root / name).split("\n")
        if line.strip()
    }
