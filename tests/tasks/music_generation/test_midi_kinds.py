"""MIDI files of rare kinds sound like the ordinary ones that they are made."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections import Counter
from pathlib import Path

import mido
import pytest

from rnnapps.errors import DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.midi import parse_midi
from rnnapps.tasks.music_generation.data.midi_kinds import ordinary_midi
from rnnapps.tasks.music_generation.data.music import given_piece, read_piece, read_piece_splits
from tests.tasks.music_generation.midi_bytes import file_of, mutate, note_track, scales
from tests.tasks.music_generation.test_midi import SET_TEMPO, meta_track

CONFIG = MusicDataConfig("x", steps_per_beat=1)
FIRST = note_track([(0, 0x90, 60, 50), (480, 0x80, 60, 0)])
SECOND = note_track([(480, 0x90, 64, 50), (480, 0x80, 64, 0)])


def notes(content: bytes) -> list[list[int]]:
    return parse_midi(ordinary_midi(content, "x"), "x", steps_per_beat=1).notes[:, :3].tolist()


def test_patterns_follow_each_other() -> None:
    content = file_of(FIRST, SECOND, FIRST, kind=2)
    assert notes(content) == [[0, 1, 60], [2, 3, 64], [3, 4, 60]]
    assert ordinary_midi(file_of(FIRST, SECOND), "x") == file_of(FIRST, SECOND)
    assert len(mido.MidiFile(file=io.BytesIO(ordinary_midi(content, "x"))).tracks) == 3


@pytest.mark.parametrize(
    ("code", "tempo", "ticks"),
    [((-25, 40), None, 500), ((-24, 20), 1_000_000, 480), ((-30, 16), None, 240), ((-29, 100), None, 1499)],
)
def test_time_code_is_counted_in_beats(code: tuple[int, int], tempo: int | None, ticks: int) -> None:
    told = [] if tempo is None else [meta_track(SET_TEMPO + tempo.to_bytes(3, "big"))]
    track = note_track([(0, 0x90, 60, 50), (2 * ticks, 0x80, 60, 0), (0, 0x90, 62, 50), (ticks, 0x80, 62, 0)])
    division = int.from_bytes(bytes([code[0] & 0xFF, code[1]]), "big")
    assert notes(file_of(*told, track, ticks=division)) == [[0, 2, 60], [2, 3, 62]]


def test_tempos_over_time_code_are_refused() -> None:
    tempos = [SET_TEMPO + value.to_bytes(3, "big") for value in (500_000, 600_000)]
    content = file_of(meta_track(tempos[0], tempos[1]), FIRST, ticks=0xE728)
    with pytest.raises(DataError, match="has 2 tempos over time code, which has no beats; save it in beats"):
        ordinary_midi(content, "x")
    with pytest.raises(DataError, match="has 24 frames of 0 ticks in a second"):
        ordinary_midi(file_of(FIRST, ticks=0xE800), "x")


def test_endings_wrappings_and_archives(tmp_path: Path) -> None:
    whole = scales(60)
    lyric = meta_track(b"\x00\xff\x05\x05sing!", b"\x00\xff\x01\x03@KM")
    wrapped = b"RIFF" + (len(whole) + 12).to_bytes(4, "little") + b"RMIDdata" + len(whole).to_bytes(4, "little") + whole
    files = {"a.rmi": wrapped, "b.mid.gz": gzip.compress(whole), "c.kar": file_of(lyric, SECOND), "d.smf": whole}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert len(read_piece(tmp_path / name, CONFIG).notes) == (1 if name == "c.kar" else 17)
    assert len(given_piece(file_of(FIRST, SECOND, kind=2), "x", CONFIG).notes) == 2
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(f"songs/{name}", content)
    splits = read_piece_splits(MusicDataConfig(str(tmp_path / "all.zip"), steps_per_beat=1))
    assert sum(map(len, splits.named().values())) == 4


@pytest.mark.parametrize("count", [150, pytest.param(3000, marks=pytest.mark.slow)])
def test_mutated_files_are_pieces_or_clear_errors(count: int) -> None:
    draw, valid = random.Random(0), Counter[str]()
    whole = {"patterns": file_of(FIRST, kind=2), "time code": file_of(SECOND, ticks=0xE728), "usual": scales(60)}
    for number in range(count):
        kind = draw.choice(list(whole))
        content = bytearray(mutate(whole[kind], draw))
        if number % 3 == 0 and len(content) > 14:
            content[draw.randrange(14)] = draw.randrange(256)
        try:
            valid[kind] += len(given_piece(bytes(content), "x", CONFIG).notes) > 0
        except DataError as error:
            assert str(error).startswith("x: ") and "\n" not in str(error)
    assert count / 30 < valid.total() < count and all(valid[kind] >= count / 100 for kind in whole)
