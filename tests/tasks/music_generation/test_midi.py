from __future__ import annotations

import io
import random
from pathlib import Path

import mido
import numpy as np
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.midi import MAXIMUM_BYTES, parse_midi, write_midi
from rnnapps.tasks.music_generation.data.piece import Piece, joined_notes
from rnnapps.tasks.music_generation.data.placing import on_grid
from tests.tasks.music_generation.midi_bytes import file_of, mutate, note_track, scales

SHARED = Path(__file__).parents[4] / "shared" / "data" / "music"


SIGNATURE, SET_TEMPO = b"\x00\xff\x58\x04", b"\x00\xff\x51\x03"


def meta_track(*events: bytes) -> bytes:
    body = b"".join((*events, b"\x00\xff\x2f\x00"))
    return b"MTrk" + len(body).to_bytes(4, "big") + body


def notes(content: bytes, steps_per_beat: int = 1, **settings: bool) -> list[list[int]]:
    return parse_midi(content, "x.mid", steps_per_beat=steps_per_beat, **settings).notes.tolist()


def test_notes_lie_on_the_grid() -> None:
    track = note_track([(0, 0x90, 60, 80), (480, 0x90, 64, 90), (240, 0x80, 60, 0), (239, 0x90, 64, 0)])
    # beat 1.5 is rounded up to 2; the second note ends one tick before beat 2
    assert notes(file_of(track)) == [[0, 2, 60, 80], [1, 2, 64, 90]]
    assert notes(file_of(track), steps_per_beat=4) == [[0, 6, 60, 80], [4, 8, 64, 90]]


def test_a_note_lasts_at_least_one_step() -> None:
    assert notes(file_of(note_track([(0, 0x90, 60, 80), (1, 0x80, 60, 0)]))) == [[0, 1, 60, 80]]


def test_a_key_struck_while_it_sounds_begins_anew_and_sounds_as_long() -> None:
    low = note_track([(0, 0x90, 60, 50), (4 * 480, 0x80, 60, 0)])
    high = note_track([(480, 0x91, 60, 70), (480, 0x81, 60, 0)])
    assert notes(file_of(low, high)) == [[0, 1, 60, 50], [1, 4, 60, 70]]


def test_notes_together_are_one_as_long_and_loud_as_any() -> None:
    one = note_track([(0, 0x90, 60, 50), (2 * 480, 0x80, 60, 0)])
    two = note_track([(0, 0x91, 60, 70), (480, 0x81, 60, 0)])
    assert notes(file_of(one, two)) == [[0, 2, 60, 70]]


def test_drums_are_read_only_when_asked_for() -> None:
    both = file_of(note_track([(0, 0x90, 60, 50), (0, 0x99, 36, 99), (480, 0x80, 60, 0), (0, 0x89, 36, 0)]))
    assert notes(both) == [[0, 1, 60, 50]]
    assert notes(both, percussion=True) == [[0, 1, 36, 99]]
    with pytest.raises(DataError, match=r"x\.mid: holds no notes but percussion; .*--data\.percussion"):
        notes(file_of(note_track([(0, 0x99, 36, 99), (480, 0x89, 36, 0)])))


def test_tempo_and_time_signature_are_those_of_the_beginning() -> None:
    body = b"\x00\xff\x51\x03\x0a\x2c\x2a" + b"\x00\xff\x58\x04\x06\x03\x18\x08" + b"\x00\xff\x2f\x00"
    meta = b"MTrk" + len(body).to_bytes(4, "big") + body
    piece = parse_midi(file_of(meta, note_track([(0, 0x90, 60, 9), (480, 0x80, 60, 0)])), "x.mid", steps_per_beat=1)
    assert piece.tempo_bpm == pytest.approx(90.0, abs=1e-3)  # 0x0A2C2A = 666,666 microseconds
    assert piece.beats_per_bar == 3.0  # 6/8
    again = parse_midi(write_midi(piece, steps_per_beat=1), "y.mid", steps_per_beat=1)
    assert (again.beats_per_bar, again.notes.tolist()) == (3.0, piece.notes.tolist())
    assert again.tempo_bpm == pytest.approx(piece.tempo_bpm, abs=1e-3)
    assert (again.beat_unit, piece.beat_unit) == (8, 8)  # 6/8 is not 3/4


def test_bars_follow_all_time_signatures() -> None:
    """A pickup of one quarter, two bars of 4/4, then 3/8; written and read again too."""
    signatures = [(0, 1, 2), (1, 4, 2), (8, 3, 3)]
    events, now = [], 0
    for beat, numerator, exponent in signatures:
        delta = (beat - now) * 60
        events.append(bytes((0x80 | delta >> 7, delta & 0x7F)) + SIGNATURE[1:] + bytes((numerator, exponent, 24, 8)))
        now = beat
    content = file_of(meta_track(*events), note_track([(0, 0x90, 60, 9), (60 * 15, 0x80, 60, 0)]), ticks=60)
    piece = parse_midi(content, "x.mid", steps_per_beat=2)
    for found in (piece, parse_midi(write_midi(piece, steps_per_beat=2), "y.mid", steps_per_beat=2)):
        assert (found.beats_per_bar, found.bar_changes) == (1.0, ((2, 4.0, 4), (16, 1.5, 8)))
        assert found.last_beats_per_bar == 1.5
        # The pickup comes on top of the bars; a change of signature ends the second bar early.
        assert [found.bar_line(bars, 2) for bars in (1, 2, 3, 4)] == [10, 16, 19, 22]
        begun = found.beginning(16)
        assert (begun.steps, begun.bar_changes) == (16, ((2, 4.0, 4),))


def test_tempo_changes_are_kept_and_played() -> None:
    meta = meta_track(
        SET_TEMPO + (500_000).to_bytes(3, "big"),
        b"\x83\x60" + SET_TEMPO[1:] + (1_000_000).to_bytes(3, "big"),  # after 480 ticks
        SET_TEMPO + (250_000).to_bytes(3, "big"),  # at once replaced
    )
    piece = parse_midi(file_of(meta, note_track([(0, 0x90, 60, 9), (960, 0x80, 60, 0)])), "x.mid", steps_per_beat=2)
    for found in (piece, parse_midi(write_midi(piece, steps_per_beat=2), "y.mid", steps_per_beat=2)):
        assert (found.tempo_bpm, found.tempo_changes) == (120.0, ((2, 240.0),))
        assert found.seconds(2).tolist() == [0.0, 0.25, 0.5, 0.625, 0.75]


PEDAL_EVENTS = [
    *((0, 0xB0, 64, 127), (0, 0x90, 60, 80), (60, 0x80, 60, 0), (420, 0x90, 61, 80), (60, 0x80, 61, 0)),
    *((900, 0xB0, 64, 0), (0, 0x90, 62, 80), (480, 0x80, 62, 0), (0, 0xB0, 64, 64), (480, 0xB0, 64, 63)),
]


def test_notes_sound_until_the_pedal_rises() -> None:
    assert notes(file_of(note_track(PEDAL_EVENTS))) == [[0, 3, 60, 80], [1, 3, 61, 80], [3, 5, 62, 80]]
    # One that never rises holds to the end of the notes' track; another channel's holds nothing; a key struck again
    # ends what the pedal held.
    down = note_track([(0, 0xB0, 64, 100)])
    held = note_track([(0, 0x90, 60, 9), (480, 0x80, 60, 0), (480, 0x90, 60, 8), (480, 0x80, 60, 0), (480, 0xC0, 1)])
    assert notes(file_of(down, held)) == [[0, 2, 60, 9], [2, 4, 60, 8]]
    other = note_track([(0, 0xB1, 64, 100)])
    assert notes(file_of(other, held)) == [[0, 1, 60, 9], [2, 3, 60, 8]]


def test_what_is_left_out_or_falls_together_is_told() -> None:
    events = [(0, 0x90, 109, 50), (0, 0x90, 60, 50), (100, 0x80, 60, 0), (20, 0x90, 60, 50), (360, 0x80, 60, 0)]
    piece = parse_midi(file_of(note_track(events)), "x.mid", steps_per_beat=1)
    assert piece.notes.tolist() == [[0, 1, 60, 50]]
    outside, together = piece.remarks
    assert outside == "1 of 3 notes lie outside 21 to 108, the keys of a piano, and are left out"
    assert together.startswith("1 of 2 notes fall together with another of their pitch on the grid of 1 steps a beat")
    assert not parse_midi(scales(60), "x.mid", steps_per_beat=1).remarks
    # Two parts in unison are one note on any grid.
    unison = note_track([(0, 0x90, 60, 50), (0, 0x91, 60, 50), (480, 0x80, 60, 0), (0, 0x81, 60, 0)])
    assert not parse_midi(file_of(unison), "x.mid", steps_per_beat=1).remarks


def test_the_wrapping_of_windows_is_taken_off() -> None:
    content = scales(60)
    wrapped = b"RIFF" + (len(content) + 12).to_bytes(4, "little") + b"RMIDdata" + len(content).to_bytes(4, "little")
    assert notes(wrapped + content + b"LIST") == notes(content)


def test_bars_that_are_no_whole_number_of_quarters_are_written_in_smaller_values() -> None:
    for beats, unit in ((3.5, 8), (0.25, 16), (3.0, 4)):
        piece = Piece(np.array([[0, 1, 60, 80]], np.int32), beats_per_bar=beats)
        again = parse_midi(write_midi(piece, steps_per_beat=1), "x.mid", steps_per_beat=1)
        assert (again.beats_per_bar, again.beat_unit) == (beats, unit)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "does not begin with MThd"),
        (b"RIFF" + bytes(40), "is a WAV, AVI or WebP file, and no Standard MIDI File"),
        (b"%PDF-1.4", "is a PDF document, and no Standard MIDI File"),
        (scales(60)[:-9], r"byte 14: a chunk of \d+ bytes begins, but the file ends"),
        (file_of(b"", ticks=0, count=0), "byte 12: has 0 ticks"),
        (file_of(b"", ticks=0xE728, count=0), "byte 12: has no ticks of a quarter note, but time code"),
        (file_of(b"", kind=2, count=0), "byte 8: is of type 2"),
        (file_of(b"", count=60_000), "byte 10: claims 60,000 tracks"),
        (file_of(note_track([]), count=3), "claims 3 tracks but holds 1"),
        (file_of(note_track([])), "holds no notes"),
        (bytes(MAXIMUM_BYTES + 1), "at most 2,097,152 are read"),
        (file_of(note_track([(0, 0x90, 60, 50), (2**28 - 1, 0x80, 60, 0)])), "track 1 of 1: lasts 559,240 grid steps"),
        (file_of(note_track([(0, 0x90, 109, 50), (480, 0x80, 109, 0)])), "no note from 21 to 108, the keys of a piano"),
        (file_of(meta_track(SIGNATURE + bytes((2, 33, 24, 8)))), r"track 1 of 1: a time signature of 2/2\^33; denom"),
        (file_of(note_track([]), note_track([(0, 0x90, 200, 50)])), r"track 2 of 2: data byte"),
        (file_of(b"MTrk\x00\x00\x00\x02\x00\x90"), r"track 1 of 1: it ends in the middle of an event"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(content: bytes, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as raised:
        parse_midi(content, "bad.mid", steps_per_beat=1)
    assert str(raised.value).startswith("bad.mid: ") and "\n" not in str(raised.value)


def as_mido_reads(content: bytes) -> list[tuple[int, int, int, int]] | None:
    """(start, end, pitch, velocity) in ticks by mido's reading; None where it refuses, or drops a delta time."""
    try:
        file = mido.MidiFile(file=io.BytesIO(content))
    except Exception:  # mido lets out whatever its decoding runs into
        return None
    found = []
    for track in file.tracks:
        now, begun = 0, {}
        for message in track:
            if message.type == "unknown_meta":
                return None  # mido forgets the time before it
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel == 9:
                continue
            waiting = begun.setdefault((message.channel, message.note), [])
            if message.type == "note_on" and message.velocity:
                waiting.append((now, message.velocity))
            elif waiting:
                start, velocity = waiting.pop(0)
                found.append((start, now, message.note, velocity))
        found += [(start, now, pitch, loud) for (_, pitch), waiting in begun.items() for start, loud in waiting]
    return found


def same_as_mido(content: bytes) -> bool:
    """Whether both read it, in which case they must read the same notes."""
    expected = as_mido_reads(content)
    try:
        piece = parse_midi(content, "x.mid", steps_per_beat=4)
    except DataError:
        return False
    if expected is None:
        return False
    ticks = int.from_bytes(content[12:14], "big")
    moved = on_grid(np.array(expected, np.int64), ticks, 4)
    np.testing.assert_array_equal(piece.notes, joined_notes(moved))
    return True


@pytest.mark.parametrize("folder", ["jsb_chorales", "nottingham"])
def test_real_files_are_read_as_mido_reads_them(folder: str) -> None:
    paths = sorted((SHARED / folder / "test").glob("*.mid"))
    if not paths:
        pytest.skip("the data set is not there")
    assert all(same_as_mido(path.read_bytes()) for path in paths[::10])


def test_mutated_files_are_read_as_mido_reads_them() -> None:
    draw = random.Random(3)
    both = [same_as_mido(mutate(scales(draw.randint(40, 70), notes=draw.randint(1, 20)), draw)) for _ in range(300)]
    assert sum(both) > 15


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"\x00\x90\x3c\x50\x60\x3c\x00", [[0, 1, 60, 80]]),  # running status; struck with velocity 0: released
        (b"\x00\x90\x3c\x50\x00\xff\x01\x01x\x60\x3c\x00", [[0, 1, 60, 80]]),  # it goes on after a meta event
        (b"\x00\x90\x3c\x50\x00\xf0\x02\x01\xf7\x60\x3c\x00", [[0, 1, 60, 80]]),  # and after system exclusive
        (b"\x60\xff\x4b\x00\x00\x90\x3c\x50\x60\x3c\x00", [[1, 2, 60, 80]]),  # time passes before unknown meta
        (b"\x00\xc0\x05\x00\xb0\x07\x64\x00\xe0\x00\x40\x00\xd0\x01\x00\x90\x3c\x50\x60\x80\x3c\x00", [[0, 1, 60, 80]]),
        (b"\x80\x80\x80\x60\x90\x3c\x50\x60\x80\x3c\x00", [[1, 2, 60, 80]]),  # four bytes of a number, 96 ticks
    ],
)
def test_events_of_all_kinds(body: bytes, expected: list[list[int]]) -> None:
    track = b"MTrk" + len(body).to_bytes(4, "big") + body
    assert notes(file_of(track, ticks=96)) == expected


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"\x00\x3c\x50", "data byte 60 where an event should begin"),
        (b"\x00\xf8", "status byte 0xf8, which no MIDI file holds"),
        (b"\x81\x81\x81\x81\x00\x90\x3c\x50", "a number of more than four bytes"),
        (b"\x81\x81", "ends in the middle"),
        (b"\x00\xff\x51\x02\x01\x01", "meta event 0x51 of 2 bytes; expected 3"),
        (b"\x00\xff\x01\x05abc", "ends in the middle"),
        (b"\x00\xff", "ends in the middle"),
        (b"\x00", "ends in the middle"),
    ],
)
def test_damaged_events_are_said(body: bytes, complaint: str) -> None:
    track = b"MTrk" + len(body).to_bytes(4, "big") + body
    with pytest.raises(DataError, match=f"track 1 of 1: .*{complaint}"):
        notes(file_of(track))


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """Returns (valid, refused) of mutated files; anything but a piece or a DataError of one line fails."""
    draw, valid = random.Random(seed), 0
    for number in range(count):
        content = mutate(scales(draw.randint(40, 70), notes=draw.randint(1, 40)), draw)
        try:
            piece = parse_midi(content, "mutated.mid", steps_per_beat=4)
        except DataError as error:
            assert str(error).startswith("mutated.mid: ") and "\n" not in str(error), number
            continue
        valid += 1
        assert len(piece.notes) and (piece.notes[:, 0] < piece.notes[:, 1]).all() and (piece.notes[:, 0] >= 0).all()
    return valid, count - valid


def test_mutated_files_are_pieces_or_clear_errors() -> None:
    valid, refused = fuzz(300, seed=1)
    assert valid > 15 and refused > 100  # both kinds of file are met


@pytest.mark.slow
def test_thousands_of_mutated_files_are_pieces_or_clear_errors() -> None:
    valid, refused = fuzz(6000, seed=2)
    assert valid > 300 and refused > 2000
