from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.midi import parse_midi
from rnnapps.tasks.music_generation.data.piece import KEYS, LOWEST_KEY
from rnnapps.tasks.music_generation.preprocessing.midi_reader import LARGEST_BYTES, LONGEST_STEPS, PROBLEMS, read_midi
from tests.tasks.music_generation.midi_bytes import file_of, mutate, note_track, scales
from tests.tasks.music_generation.test_midi import PEDAL_EVENTS, SET_TEMPO, SIGNATURE, meta_track

SHARED = Path(__file__).parents[4] / "shared" / "data" / "music"


@pytest.fixture(autouse=True)
def same_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader takes longer files."""
    monkeypatch.setattr("rnnapps.tasks.music_generation.data.midi.MAXIMUM_STEPS", LONGEST_STEPS)


@pytest.fixture(scope="module")
def reader() -> tf.types.experimental.PolymorphicFunction:
    spec = tf.TensorSpec((None,), tf.string)
    return tf.function(
        lambda contents: read_midi(contents, steps_per_beat=4)._asdict(), input_signature=[spec], autograph=False
    )


def compare(reader: tf.types.experimental.PolymorphicFunction, contents: Sequence[bytes]) -> list[int]:
    """Reads files in one batch, compares each with what `parse_midi` reads; returns the problems."""
    found = {name: tensor.numpy() for name, tensor in reader(tf.constant(list(contents))).items()}
    for row, content in enumerate(contents):
        problem = found["problem"][row]
        try:
            piece = parse_midi(content, "x.mid", steps_per_beat=4)
        except DataError as error:
            assert problem, f"row {row}: {error}"
            assert not found["sounding"][row].any() and not found["lengths"][row]
            continue
        assert not problem, f"row {row}: {PROBLEMS[problem]}"
        shape = found["sounding"].shape[1:]
        sounding, velocity = np.zeros(shape, bool), np.zeros(shape, int)
        for start, end, pitch, loud in piece.notes:
            sounding[start:end, pitch - LOWEST_KEY] = True
            velocity[start, pitch - LOWEST_KEY] = loud
        np.testing.assert_array_equal(found["sounding"][row], sounding)
        np.testing.assert_array_equal(found["velocity"][row], velocity)
        np.testing.assert_array_equal(found["struck"][row], velocity > 0)
        conductor = found["conductor"][row] + b"\x00\xff\x2f\x00"
        track = b"MTrk" + len(conductor).to_bytes(4, "big") + conductor
        again = parse_midi(file_of(track, note_track([(0, 0x90, 60, 9)])), "x.mid", steps_per_beat=4)
        for name in ("tempo_bpm", "tempo_changes", "beats_per_bar", "beat_unit", "bar_changes"):
            assert getattr(again, name) == getattr(piece, name)
        assert found["lengths"][row] == piece.steps
    return found["problem"].tolist()


def test_it_reads_what_the_loader_reads(reader: tf.types.experimental.PolymorphicFunction) -> None:
    low = note_track([(0, 0x90, 60, 50), (4 * 480, 0x80, 60, 0), (0, 0x90, 62, 9)])  # its last note never ends
    high = note_track(
        [(480, 0x91, 60, 70), (1, 0x91, 61, 20), (1, 0x91, 61, 30), (470, 0x81, 60, 0), (960, 0x91, 61, 0)]
    )
    drums = note_track([(0, 0x99, 36, 99), (480, 0x89, 36, 0)])
    body = b"\x00\xff\x51\x03\x0a\x2c\x2a\x00\xff\x58\x04\x06\x03\x18\x08\x60\xff\x4b\x00\x00\xf0\x03abc"
    body += b"\x00\x90\x3c\x50\x60\x3c\x00\x00\xc0\x05\x00\xd0\x05\x00\xe0\x00\x40\x8f\x00\xb0\x01\x02"
    meta = b"MTrk" + len(body).to_bytes(4, "big") + body
    other = b"ABCD\x00\x00\x00\x03xyz"
    files = [
        file_of(low, high, drums),
        file_of(high, other, low, meta, count=3),
        file_of(meta, ticks=96),
        scales(50),
        b"",
    ]
    assert compare(reader, [*files[:-1]]) == [0, 0, 0, 0]
    assert compare(reader, timed_files()) == [0] * 4
    silence = {name: tensor.numpy() for name, tensor in reader(tf.constant([b"", files[0]])).items()}
    assert silence["problem"].tolist() == [0, 0] and silence["lengths"][0] == 0


def timed_files() -> list[bytes]:
    """Pedals, in and beside the notes' track; time signatures and tempos in two tracks; a note outside the piano."""
    held = note_track(
        [(0, 0x90, 60, 9), (480, 0x80, 60, 0), (480, 0x90, 60, 8), (480, 0x80, 60, 0), (480, 0x91, 64, 7)]
    )
    moves = [(240, 0xB0, 64, 100), (300, 0xB0, 64, 0), (0, 0xB1, 64, 99), (0, 0xB0, 64, 70), (0, 0xB0, 7, 0)]
    tempo = b"\x87\x40" + SET_TEMPO[1:] + (250_000).to_bytes(3, "big")
    first = meta_track(SIGNATURE + bytes((1, 2, 24, 8)), tempo, SET_TEMPO + bytes(3))
    second = meta_track(
        SET_TEMPO + (700_000).to_bytes(3, "big"), b"\x83\x60" + SIGNATURE[1:] + bytes((6, 3, 24, 8)), tempo
    )
    outside = note_track([(0, 0x90, 109, 50), (0, 0x90, 60, 50), (480, 0x80, 109, 0), (0, 0x80, 60, 0)])
    return [
        file_of(note_track(PEDAL_EVENTS)),
        file_of(note_track(moves), held),
        file_of(first, held, second, note_track(moves[:1])),
        file_of(outside),
    ]


def test_what_is_wrong_has_a_number(reader: tf.types.experimental.PolymorphicFunction) -> None:
    long = note_track([(0, 0x90, 60, 50), (2**21, 0x80, 60, 0)])
    files = {
        bytes(LARGEST_BYTES + 1): "bytes",
        b"MThd": "no Standard MIDI File",
        file_of(b"", kind=2, count=0): "no Standard MIDI File",
        file_of(b"", ticks=0xE728, count=0): "no Standard MIDI File",
        scales(60)[:-3]: "damaged",
        file_of(note_track([]), count=3): "damaged",
        file_of(note_track([]), note_track([(0, 0x90, 200, 50)])): "damaged",
        file_of(long): "lasts more than",
        file_of(meta_track(SIGNATURE + bytes((2, 33, 24, 8))), note_track([(0, 0x90, 60, 9)])): "128ths",
        file_of(note_track([(0, 0x90, 109, 50), (480, 0x80, 109, 0)])): "keys of a piano",
        file_of(note_track([(0, 0x99, 36, 99), (480, 0x89, 36, 0)])): "keys of a piano",
    }
    for problem, expected in zip(compare(reader, list(files)), files.values(), strict=True):
        assert expected in PROBLEMS[problem]


def test_a_row_is_read_as_if_it_were_alone(reader: tf.types.experimental.PolymorphicFunction) -> None:
    files = [scales(50), b"", scales(60)[:-3], scales(70, notes=40)]
    together = reader(tf.constant(files))
    for row, content in enumerate(files):
        alone = reader(tf.constant([content]))
        for name, tensor in alone.items():
            part = together[name][row : row + 1].numpy()
            whole = np.zeros_like(part)
            whole[tuple(slice(size) for size in tensor.shape)] = tensor.numpy()
            np.testing.assert_array_equal(part, whole)


def mutated(count: int, seed: int) -> list[bytes]:
    draw = random.Random(seed)
    unknown = file_of(meta_track(SIGNATURE + bytes((2, 8, 24, 8))), note_track([(0, 0x90, 60, 9)]))
    whole = [unknown, *timed_files(), *(scales(draw.randint(40, 70), notes=draw.randint(1, 20)) for _ in range(9))]
    return [mutate(draw.choice(whole), draw) for _ in range(count)]


def test_mutated_files(reader: tf.types.experimental.PolymorphicFunction) -> None:
    problems = [problem for seed in range(6) for problem in compare(reader, mutated(40, seed))]
    assert problems.count(0) > 15 and sum(map(bool, problems)) > 100


@pytest.mark.slow
def test_thousands_of_mutated_files(reader: tf.types.experimental.PolymorphicFunction) -> None:
    problems = [problem for seed in range(150) for problem in compare(reader, mutated(40, seed))]
    assert set(problems) >= set(range(len(PROBLEMS))) - {1}


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["jsb_chorales", "nottingham"])
def test_real_files(folder: str, reader: tf.types.experimental.PolymorphicFunction) -> None:
    paths = sorted((SHARED / folder).rglob("*.mid"), key=lambda path: path.stat().st_size)
    if not paths:
        pytest.skip("the data set is not there")
    for first in range(0, len(paths), 64):
        problems = compare(reader, [path.read_bytes() for path in paths[first : first + 64]])
        assert set(problems) <= {0, PROBLEMS.index(f"lasts more than {LONGEST_STEPS:,} grid steps")}


def test_percussion_is_read_when_asked_for() -> None:
    both = file_of(note_track([(0, 0x90, 60, 50), (0, 0x99, 36, 99), (480, 0x80, 60, 0), (0, 0x89, 36, 0)]))
    found = read_midi(tf.constant([both]), steps_per_beat=1, percussion=True)
    assert np.argwhere(found.sounding.numpy()).tolist() == [[0, 0, 36 - LOWEST_KEY]] and KEYS == 88
