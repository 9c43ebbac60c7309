"""Written scores: MusicXML, ABC and `**kern` through music21, and the chorales of its corpus."""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from rnnapps.data.compressed import plain_suffix
from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.midi import MAXIMUM_STEPS
from rnnapps.tasks.music_generation.data.midi_timeline import changes
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.data.placing import placed

if TYPE_CHECKING:
    import music21

__all__ = ["SCORE_SUFFIXES", "builtin_chorales", "parse_chorale", "parse_score"]

SCORE_SUFFIXES = (".musicxml", ".mxl", ".xml", ".abc", ".krn")
VELOCITY = 80
UNTOLD_TEMPO_BPM = 90.0
TICKS = 10_080
"""Ticks of a quarter note here: any usual division of it is whole."""

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LONG_NUMBERS = {
    ".abc": re.compile(
        rb"^(?:M:[^\n]*?(\d[\d_]{2,})|(?:[LQ]:|(?![A-Za-z]:))[^\n%]*?(?<![\d_])(\d[\d_]{4,}))", re.MULTILINE
    ),
    ".krn": re.compile(rb"\*M(\d[\d_]{2,})"),
    ".musicxml": re.compile(rb"<beats>[^<]*?(\d[\d_]{2,})"),
}
"""Numbers that no music has where it counts in beats."""

_FORMATS = {".abc": "abc", ".krn": "humdrum"}


def parse_score(content: bytes, name: str | Path, *, steps_per_beat: int, suffix: str = "") -> Piece:
    """Reads MusicXML, ABC or `**kern` onto a grid.

    Args:
        content: of a file, or one tune of a collection.
        name: what to call it in errors.
        steps_per_beat: grid steps in a quarter note.
        suffix: which of these it is; by default the name says it.

    Raises:
        DataError: music21 is not installed, or cannot read the file, or it holds no note that a piano has.
    """
    _corpus_folder(name)
    import music21

    suffix = suffix or plain_suffix(name)
    try:
        text = _unzipped(content) if suffix == ".mxl" else content
        _require_short_numbers(text, name, suffix)
        score = music21.converter.parseData(text.decode("utf-8-sig"), format=_FORMATS.get(suffix, "musicxml"))
        notes_in_quarters = [
            (float(element.getOffsetInHierarchy(score)), float(element.duration.quarterLength), pitch.midi)
            for element in score.stripTies().recurse().notes
            for pitch in element.pitches
        ]
        tempos, bars = _told(score)
    except DataError:
        raise
    except Exception as error:  # music21 lets out whatever its parsers run into
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(name, f"music21 cannot read it: {reason}", "correct it, or convert it to MIDI") from None
    notes = [
        (round(start * TICKS), round((start + length) * TICKS), pitch) for start, length, pitch in notes_in_quarters
    ]
    tempo_bpm, tempo_changes = changes(tempos, UNTOLD_TEMPO_BPM, (TICKS, steps_per_beat))
    (beats, unit), later = changes(bars, (4.0, 4), (TICKS, steps_per_beat))
    return replace(
        _piece(notes, name, steps_per_beat),
        tempo_bpm=tempo_bpm,
        tempo_changes=tuple(tempo_changes),
        beats_per_bar=beats,
        beat_unit=unit,
        bar_changes=tuple((step, *bar) for step, bar in later),
    )


def _require_short_numbers(text: bytes, name: str | Path, suffix: str) -> None:
    """Refuses metres of hundreds of beats and, in ABC, lengths of thousands, which take music21 minutes."""
    pattern = _LONG_NUMBERS.get(suffix, _LONG_NUMBERS[".musicxml"])
    found = pattern.search(text)
    if found is not None:
        shown, line = found.group(found.lastindex or 0)[:20].decode("ascii"), text.count(b"\n", 0, found.end()) + 1
        raise DataError(name, f"line {line}: has the number {shown} in its music", "the file is damaged")


def _told(score: music21.stream.Score) -> tuple[list[tuple[int, float]], list[tuple[int, tuple[float, int]]]]:
    """(tick, tempo) and (tick, (quarter notes in a bar, note value counted in)) of each that music21 has read."""
    part = score.parts[0] if score.parts else score
    marks = [
        (mark.getOffsetInHierarchy(score), mark.getQuarterBPM())
        for mark in score.recurse().getElementsByClass("MetronomeMark")
    ]
    signatures = [
        (float(sign.getOffsetInHierarchy(part)), (float(sign.barDuration.quarterLength), int(sign.denominator)))
        for sign in part.recurse().getElementsByClass("TimeSignature")
    ]
    measures = list(part.getElementsByClass("Measure"))
    pickup = float(measures[0].duration.quarterLength) if len(measures) > 1 else 0.0
    if signatures and signatures[0][0] == 0 and 0 < pickup < signatures[0][1][0]:
        whole = signatures[0][1]
        signatures[:1] = [(0.0, (pickup, whole[1])), (pickup, whole)]
    tempos = [(round(float(start) * TICKS), float(tempo)) for start, tempo in marks if tempo]
    return tempos, [(round(start * TICKS), bar) for start, bar in signatures]


def builtin_chorales(steps_per_beat: int) -> list[Piece]:
    """The four-part chorales by Bach in music21's corpus, without repeats.

    Raises:
        DataError: music21 is not installed.
    """
    folder = _corpus_folder("builtin") / "bach"
    pieces = []
    for path in sorted(folder.glob("bwv*.mxl")):
        score = ElementTree.fromstring(_unzipped(path.read_bytes()))
        if len(score.findall("part")) == 4:
            pieces.append(_chorale(score, path, steps_per_beat))
    return pieces


def parse_chorale(content: bytes, name: str | Path, *, steps_per_beat: int) -> Piece:
    """Reads compressed MusicXML of the plain kind that the corpus holds; much faster than music21's own reader.

    Repeats are not played twice, and ornaments not at all.
    """
    return _chorale(ElementTree.fromstring(_unzipped(content)), name, steps_per_beat)


def _chorale(score: ElementTree.Element, name: str | Path, steps_per_beat: int) -> Piece:
    """The notes of all parts of a score."""
    notes = [note for part in score.findall("part") for note in _part_notes(part)]
    ticks = [(int(start * TICKS), int(end * TICKS), pitch) for start, end, pitch in notes]
    beats, unit = (int(score.findtext(f".//time/{tag}") or 4) for tag in ("beats", "beat-type"))
    return _piece(ticks, name, steps_per_beat, beats_per_bar=4 * beats / unit)


def _part_notes(part: ElementTree.Element) -> Iterator[tuple[Fraction, Fraction, int]]:
    """(start, end, pitch) of a part's notes in quarter notes; tied ones are one."""
    divisions, now, before, transposed = 1, Fraction(0), Fraction(0), 0
    tied: dict[int, Fraction] = {}
    for element in part.iterfind("measure/*"):
        divisions = int(element.findtext("divisions") or divisions)
        length = Fraction(element.findtext("duration") or 0) / divisions
        if element.tag == "attributes":
            transposed = int(element.findtext("transpose/chromatic") or transposed)
        elif element.tag in ("backup", "forward"):
            now += -length if element.tag == "backup" else length
        elif element.tag == "note" and length:
            start = before if element.find("chord") is not None else now
            before, now = start, start + length
            pitch = element.find("pitch")
            if pitch is None:
                continue
            number = 12 * (int(pitch.findtext("octave", "")) + 1) + _STEPS[pitch.findtext("step", "")] + transposed
            number += int(float(pitch.findtext("alter") or 0))
            kinds = {tie.get("type") for tie in element.iterfind("tie")}
            begun = tied.pop(number, start) if "stop" in kinds else start
            if "start" in kinds:
                tied[number] = begun
            else:
                yield begun, now, number


def _piece(
    notes: list[tuple[int, int, int]], name: str | Path, steps_per_beat: int, beats_per_bar: float = 4.0
) -> Piece:
    """A piece of notes (start, end, pitch) in ticks; raises DataError where there are none, or some beyond a limit."""
    kept = [note for note in notes if note[1] > note[0]]
    if not kept:
        raise DataError(name, "holds no notes", "leave it out")
    if max(end for _, end, _ in kept) * steps_per_beat >= MAXIMUM_STEPS * TICKS:
        raise DataError(name, f"lasts more than {MAXIMUM_STEPS:,} grid steps", "split it")
    rows = np.array([(*note, VELOCITY) for note in kept], np.int64)
    joined, remarks = placed(rows, name, ticks_per_beat=TICKS, steps_per_beat=steps_per_beat)
    return Piece(joined, Path(name).stem, tempo_bpm=UNTOLD_TEMPO_BPM, beats_per_bar=beats_per_bar, remarks=remarks)


def _unzipped(content: bytes) -> bytes:
    """The score in a compressed MusicXML file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if entry.filename.endswith((".xml", ".musicxml")) and not entry.filename.startswith("META-INF"):
                if entry.file_size > 64 << 20:
                    raise ValueError(f"it unpacks to {entry.file_size:,} bytes")
                return archive.read(entry)
    raise ValueError("it holds no score")


def _corpus_folder(source: str | Path) -> Path:
    """Where music21 keeps its corpus; importing it takes seconds, finding it does not."""
    spec = importlib.util.find_spec("music21")
    if spec is None or spec.origin is None:
        remedy = "install it with: pip install 'rnnapps[samples]', or give MIDI files with --data.source"
        raise DataError(source, "needs the package music21", remedy)
    return Path(spec.origin).parent / "corpus"
