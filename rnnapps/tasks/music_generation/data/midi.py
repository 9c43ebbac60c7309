"""Standard MIDI files in and out. Bytes from anyone: a file is a valid piece or a `DataError` of one line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import mido
import numpy as np

from rnnapps.data.file_kinds import kind_of
from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.config import TICKS_PER_BEAT
from rnnapps.tasks.music_generation.data.midi_events import NOTE_OFF, NOTE_ON, Event, track_events
from rnnapps.tasks.music_generation.data.midi_timeline import LARGEST_EXPONENT, Timeline
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.data.placing import placed

__all__ = ["MAXIMUM_BYTES", "MAXIMUM_STEPS", "parse_midi", "write_midi"]

MAXIMUM_BYTES = 2 << 20
MAXIMUM_TRACKS = 256
MAXIMUM_EVENTS = 500_000
MAXIMUM_STEPS = 200_000
DRUMS = 9
"""Number of the percussion channel of General MIDI, counted from 0."""


def parse_midi(content: bytes, name: str | Path, *, steps_per_beat: int, percussion: bool = False) -> Piece:
    """Reads a Standard MIDI File onto a grid.

    Every start and end is moved to the nearest grid step (halves upwards); a note lasts at least one step. Where the
    sustain pedal is down when its key is let go, it sounds until the pedal rises. Notes that a piano has no key for are
    left out, which a remark tells, as it does where the grid makes one note of several.

    Args:
        content: the file's bytes.
        name: what to call it in errors.
        steps_per_beat: grid steps in a quarter note.
        percussion: read channel 10 instead of all others.

    Raises:
        DataError: not a MIDI file, damaged (with the track), beyond a limit (2 MiB, 256 tracks, 500,000 events,
            200,000 steps), without notes that a piano has keys for, or with a time signature that counts in less than
            128ths.
    """
    ticks_per_beat, tracks = _chunks(content, name)
    notes: list[tuple[int, int, int, int, int, int]] = []
    timeline, count = Timeline(), 0
    for number, chunk in enumerate(tracks, start=1):
        where = f"track {number} of {len(tracks)}"
        try:
            events = list(islice(track_events(chunk), MAXIMUM_EVENTS + 1 - count))
            timeline.add(events)
        except ValueError as error:
            raise DataError(name, f"{where}: {error}", "the file is damaged") from None
        count += len(events)
        if count > MAXIMUM_EVENTS:
            raise DataError(name, f"{where}: more than {MAXIMUM_EVENTS:,} events", "split the file")
        steps = sum(event.delta for event in events) * steps_per_beat // ticks_per_beat
        if steps >= MAXIMUM_STEPS:
            problem = f"{where}: lasts {steps:,} grid steps; at most {MAXIMUM_STEPS:,} are read"
            raise DataError(name, problem, "split the file, or lower --data.steps_per_beat")
        notes += _notes(events, percussion)
    if not notes:
        other = "without percussion" if percussion else "but percussion"
        raise DataError(name, f"holds no notes {other}", "leave it out, or see --data.percussion")
    rows = np.array(notes, np.int64)
    rows[:, 1] = timeline.sustained(rows[:, 1], rows[:, 4], rows[:, 5])
    joined, remarks = placed(rows[:, :4], name, ticks_per_beat=ticks_per_beat, steps_per_beat=steps_per_beat)
    tempo_bpm, tempo_changes = timeline.tempos(ticks_per_beat, steps_per_beat)
    (beats_per_bar, beat_unit), bar_changes = timeline.bars(ticks_per_beat, steps_per_beat)
    return Piece(
        joined,
        Path(name).stem,
        tempo_bpm=tempo_bpm,
        beats_per_bar=beats_per_bar,
        beat_unit=beat_unit,
        tempo_changes=tempo_changes,
        bar_changes=bar_changes,
        remarks=remarks,
    )


def _chunks(content: bytes, name: str | Path) -> tuple[int, list[bytes]]:
    """Ticks of a quarter note, and the body of each track; nothing is decoded yet."""
    if len(content) > MAXIMUM_BYTES:
        raise DataError(name, f"has {len(content):,} bytes; at most {MAXIMUM_BYTES:,} are read", "split the file")
    if content[:4] == b"RIFF" and content[8:16] == b"RMIDdata":  # a MIDI file in the wrapping of Windows
        content = content[20 : 20 + int.from_bytes(content[16:20], "little")]
    if content[:4] != b"MThd" or len(content) < 14:
        other = kind_of(content) if content[:4] != b"MThd" else ""
        known = f"is {other}, and no Standard MIDI File" if other else ""
        problem = known or "is no Standard MIDI File: it does not begin with MThd"
        raise DataError(name, problem, "convert it or leave it out")
    size, kind, count, division = (
        int.from_bytes(content[first:last], "big") for first, last in ((4, 8), (8, 10), (10, 12), (12, 14))
    )
    if kind > 1:
        raise DataError(name, f"byte 8: is of type {kind}; expected 0 or 1", "save it as type 1")
    if count > MAXIMUM_TRACKS:
        raise DataError(name, f"byte 10: claims {count:,} tracks; at most {MAXIMUM_TRACKS} are read", "join tracks")
    if not 0 < division < 0x8000:
        problem = "byte 12: has no ticks of a quarter note, but time code"
        raise DataError(name, problem if division else "byte 12: has 0 ticks in a quarter note", "save it in beats")
    position, tracks = 8 + size, []
    while position < len(content):
        length = int.from_bytes(content[position + 4 : position + 8], "big")
        if position + 8 + length > len(content):
            problem = f"byte {position}: a chunk of {length:,} bytes begins, but the file ends before it does"
            raise DataError(name, problem, "the file is cut off or damaged")
        if content[position : position + 4] == b"MTrk":
            tracks.append(content[position + 8 : position + 8 + length])
        position += 8 + length
    if len(tracks) != count:
        raise DataError(name, f"claims {count} tracks but holds {len(tracks)}", "the file is damaged")
    return division, tracks


def _notes(events: list[Event], percussion: bool) -> Iterator[tuple[int, int, int, int, int, int]]:
    """(start, end, pitch, velocity, channel, end of the track) of a track's notes, in ticks.

    Those that never end, end with the track.
    """
    now, last, sounding = 0, sum(event.delta for event in events), dict[tuple[int, int], list[tuple[int, int]]]()
    for event in events:
        now += event.delta
        kind, channel = event.status & 0xF0, event.status & 0x0F
        if kind not in (NOTE_ON, NOTE_OFF) or (channel == DRUMS) != percussion:
            continue
        pitch, velocity = event.data
        if kind == NOTE_ON and velocity:
            sounding.setdefault((channel, pitch), []).append((now, velocity))
        elif sounding.get((channel, pitch)):
            start, loud = sounding[channel, pitch].pop(0)
            yield start, now, pitch, loud, channel, last
    for (channel, pitch), begun in sounding.items():
        yield from ((start, now, pitch, velocity, channel, last) for start, velocity in begun)


def write_midi(piece: Piece, *, steps_per_beat: int, percussion: bool = False) -> bytes:
    """A Standard MIDI File of type 1 that `parse_midi` reads as the same piece.

    Its first track holds tempo and time signature, its second the notes.
    """
    ticks, channel = TICKS_PER_BEAT // steps_per_beat, DRUMS if percussion else 0
    # Ends before starts: a key that is struck again is released first.
    changes = [(int(end), 0, int(pitch), 0) for _, end, pitch, _ in piece.notes]
    changes += [(int(start), 1, int(pitch), int(velocity)) for start, _, pitch, velocity in piece.notes]
    notes = [
        (step, mido.Message("note_on" if on else "note_off", channel=channel, note=pitch, velocity=velocity))
        for step, on, pitch, velocity in sorted(changes)
    ]
    tempos = [(step, _tempo(tempo_bpm)) for step, tempo_bpm in ((0, piece.tempo_bpm), *piece.tempo_changes)]
    signatures = ((0, piece.beats_per_bar, piece.beat_unit), *piece.bar_changes)
    bars = [(step, _signature(beats_per_bar, beat_unit)) for step, beats_per_bar, beat_unit in signatures]
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks += [_track(sorted(tempos + bars, key=lambda pair: pair[0]), ticks), _track(notes, ticks)]
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _track(messages: list[tuple[int, mido.Message]], ticks: int) -> mido.MidiTrack:
    """A track of messages at steps of so many ticks, in order."""
    track, now = mido.MidiTrack(), 0
    for step, message in messages:
        track.append(message.copy(time=(step - now) * ticks))
        now = step
    return track


def _tempo(tempo_bpm: float) -> mido.MetaMessage:
    return mido.MetaMessage("set_tempo", tempo=max(1, min(0xFFFFFF, round(6e7 / tempo_bpm))))


def _signature(beats_per_bar: float, beat_unit: int) -> mido.MetaMessage:
    """The time signature, in a smaller note value where the bar is no whole number of those given."""
    while beats_per_bar * beat_unit % 4 and beat_unit < 2**LARGEST_EXPONENT:
        beat_unit *= 2
    numerator = max(1, min(255, round(beats_per_bar * beat_unit / 4)))
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=beat_unit)
