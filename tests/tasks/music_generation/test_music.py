from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.music_generation.data.config import MusicDataConfig
from rnnapps.tasks.music_generation.data.music import read_piece, read_piece_splits
from rnnapps.tasks.music_generation.data.scores import builtin_chorales, parse_chorale, parse_score
from tests.tasks.music_generation.midi_bytes import file_of, note_track, scales, write_scales


def config(source: object, **settings: object) -> MusicDataConfig:
    return MusicDataConfig(source=str(source), steps_per_beat=1, **settings)


def test_every_piece_of_a_folder_is_in_one_part(tmp_path: Path) -> None:
    splits = read_piece_splits(config(write_scales(tmp_path, 12), validation_fraction=0.25))
    parts = [{piece.name for piece in part} for part in (splits.train, splits.validation, splits.test)]
    assert [len(part) for part in parts] == [8, 3, 1]
    assert set.union(*parts) == {f"{number:02}" for number in range(12)}


@pytest.mark.parametrize("name", ["valid", "Validation", "dev"])
def test_folders_of_parts_are_the_split(name: str, tmp_path: Path) -> None:
    for part, count in (("train", 3), (name, 2), ("test", 1)):
        write_scales(tmp_path / part, count)
    splits = read_piece_splits(config(tmp_path))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [3, 2, 1]
    (tmp_path / "test" / "00.mid").unlink()
    with pytest.raises(DataError, match="holds no piece of music"):
        read_piece_splits(config(tmp_path))


@pytest.mark.parametrize("own", ["valid", "test"])
def test_a_part_that_a_folder_lacks_is_taken_from_its_training_pieces(own: str, tmp_path: Path) -> None:
    write_scales(tmp_path / "train", 6)
    write_scales(tmp_path / own, 2)
    splits = read_piece_splits(config(tmp_path, validation_fraction=0.4, test_fraction=0.4))
    assert [len(splits.train), *sorted((len(splits.validation), len(splits.test)))] == [4, 2, 2]
    assert len(splits.test if own == "test" else splits.validation) == 2
    elsewhere = read_piece_splits(config(tmp_path, test=str(tmp_path / own)))
    assert [piece.name for piece in elsewhere.test] == ["00", "01"]


def test_a_folder_of_one_piece_asks_for_more(tmp_path: Path) -> None:
    write_scales(tmp_path / "train", 1)
    write_scales(tmp_path / "valid", 1)
    with pytest.raises(DataError, match="holds 1 pieces; a split needs 2 at least"):
        read_piece_splits(config(tmp_path))
    assert len(read_piece_splits(config(tmp_path, test=str(tmp_path / "train"))).test) == 1


def test_what_was_noticed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = file_of(note_track([(0, 0x90, 110, 50), (0, 0x90, 60, 50), (960, 0x80, 60, 0)]))
    for number in range(9):
        (tmp_path / f"{number}.mid").write_bytes(outside if number < 7 else scales(60))
    read_piece_splits(config(tmp_path))
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 6 and told[5].endswith("2 more of 9 pieces have such remarks")
    assert all("1 of 2 notes lie outside 21 to 108" in line for line in told[:5])


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = write_scales(tmp_path, 4)
    (folder / "02.mid").write_bytes(scales(60)[:40])
    with pytest.raises(DataError, match=r"02\.mid: byte 14: .*cut off or damaged"):
        read_piece_splits(config(folder))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"song\.mp3: ends in \.mp3; pieces end in \.mid"):
        read_piece(tmp_path / "song.mp3", config("x"))


def test_without_music21_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"builtin: needs the package music21; .*rnnapps\[samples\]"):
        builtin_chorales(4)


def chorale(name: str) -> Path:
    spec = importlib.util.find_spec("music21")
    if spec is None or spec.origin is None:
        pytest.skip("music21 is not installed")
    return Path(spec.origin).parent / "corpus" / "bach" / f"{name}.mxl"


@pytest.mark.filterwarnings("ignore")  # of music21's own
@pytest.mark.parametrize("name", ["bwv10.7", "bwv66.6"])
def test_chorales_are_read_as_music21_reads_them(name: str) -> None:
    path = chorale(name)
    own = parse_chorale(path.read_bytes(), path, steps_per_beat=4)
    np.testing.assert_array_equal(own.notes, parse_score(path.read_bytes(), path, steps_per_beat=4).notes)


@pytest.mark.filterwarnings("ignore")
def test_abc_is_read_and_damage_named(tmp_path: Path) -> None:
    chorale("bwv10.7")
    song = tmp_path / "song.abc"
    song.write_text("X:1\nT:Scale\nM:4/4\nL:1/4\nK:C\nCDEF|G2c2|\n")
    assert read_piece(song, config("x")).notes[:, :3].tolist() == [
        [0, 1, 60], [1, 2, 62], [2, 3, 64], [3, 4, 65], [4, 6, 67], [6, 8, 72],
    ]  # fmt: skip
    song.write_text("X:1\nT:Waltz\nM:3/4\nL:1/4\nQ:1/4=72\nK:C\nG,|CDE|FG2|c3|\n")
    waltz = read_piece(song, config("x"))
    assert (waltz.tempo_bpm, waltz.beats_per_bar, waltz.bar_changes) == (72.0, 1.0, ((1, 3.0, 4),))
    assert waltz.bar_line(2, 1) == 7
    bad = tmp_path / "bad.musicxml"
    bad.write_text("<score-partwise><part>")
    with pytest.raises(DataError, match=r"bad\.musicxml: music21 cannot read it"):
        read_piece(bad, config("x"))


@pytest.mark.filterwarnings("ignore")
def test_tunes_of_a_collection_are_pieces_of_their_own(tmp_path: Path) -> None:
    chorale("bwv10.7")
    book = tmp_path / "book.abc"
    tunes = "".join(f"X:{n}\nT:Tune {n}\nM:3/4\nK:C\n{n * 'CDE|'}c3|\n\n" for n in range(1, 9))
    book.write_text(f"%abc-2.1\nL:1/4\nQ:1/4=72\n\n{tunes}")
    splits = read_piece_splits(config(book))
    pieces = [piece for part in splits.named().values() for piece in part]
    assert sorted((piece.name, piece.steps, piece.tempo_bpm) for piece in pieces) == [
        (f"book {n}", 3 * n + 3, 72.0) for n in range(1, 9)
    ]
    with pytest.raises(DataError, match=r"book\.abc: is a collection of 8 tunes"):
        read_piece(book, config("x"))
    book.write_text(book.read_text().replace("T:Tune 3\nM:3/4", "T:Tune 3\nM:3/4\nK:C\n[V:]"))
    damaged = read_piece_splits(config(book, bad_limit=0.5))
    assert 7 <= sum(map(len, damaged.named().values())) <= 8


@pytest.mark.filterwarnings("ignore")
def test_lengths_without_end_are_refused_before_they_are_cut_into_bars(tmp_path: Path) -> None:
    chorale("bwv10.7")
    abc = "X:123456\nT:Of 123456\nM:3/4\nL:1/4\nK:C\nCDE|"
    xml = "<score-partwise>\n<beats>3+2</beats>\n<beats>1000</beats>"
    for name, content, line in (
        ("a.abc", abc.replace("CDE|", "CD99999999E|"), 6),
        ("a.abc", abc.replace("M:3/4", "M:1_000/4"), 3),
        ("a.abc", abc.replace("L:1/4", "L:1/40000000"), 4),
        ("a.krn", "**kern\n*M1000/4\n4c\n*-\n", 2),
        ("a.musicxml", xml, 3),
    ):
        song = tmp_path / name
        song.write_text(content)
        with pytest.raises(DataError, match=rf"{name}: line {line}: has the number [149][\d_]+ in its music"):
            read_piece(song, config("x"))
    (tmp_path / "a.abc").write_text(f"%%scale 0.70000\n{abc} % 123456\n")
    assert len(read_piece(tmp_path / "a.abc", config("x")).notes) == 3


@pytest.mark.filterwarnings("ignore")
def test_kern(tmp_path: Path) -> None:
    chorale("bwv10.7")
    song = tmp_path / "song.krn"
    song.write_text("**kern\n*M3/4\n*k[]\n=1\n4c\n4d\n4e\n=2\n2.g\n==\n*-\n")
    piece = read_piece(song, config("x"))
    assert piece.notes[:, :3].tolist() == [[0, 1, 60], [1, 2, 62], [2, 3, 64], [3, 6, 67]]
    assert (piece.beats_per_bar, piece.name) == (3.0, "song")


def test_a_tfds_data_set_of_midi_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    original = tfds.builder

    def with_splits(name: str, data_dir: str | None = None) -> tfds.core.DatasetBuilder:
        builder = original(name, data_dir=str(tmp_path))
        if not builder.info.splits:
            splits = [tfds.core.SplitInfo(name=split, shard_lengths=[2], num_bytes=0) for split in ("train", "test")]
            splits.append(tfds.core.SplitInfo(name="validation", shard_lengths=[2], num_bytes=0))
            builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    drums = scales(60).replace(b"\x90", b"\x99").replace(b"\x80", b"\x89")
    monkeypatch.setattr(tfds, "builder", with_splits)
    with tfds.testing.mock_data(as_dataset_fn=lambda *_, **__: tf.data.Dataset.from_tensors({"midi": drums}).repeat(2)):
        splits = read_piece_splits(config("tfds:groove/full-midionly", percussion=True, transpose_semitones=0))
        with pytest.raises(DataError, match=r"groove/full-midionly split .* row 0: holds no notes but percussion"):
            read_piece_splits(config("tfds:groove/full-midionly"))
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [2, 2, 2]
    assert len(splits.train[0].notes) == 17


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"steps_per_beat": 7}, "steps_per_beat must be a divisor of 480"),
        ({"representation": "roll"}, "must be one of frames, events"),
        ({"validation_fraction": 0.6, "test_fraction": 0.5}, "leave no piece to train on"),
        ({"percussion": True}, "transpose_semitones must be 0 with data.percussion"),
        ({"velocity_levels": 0}, "velocity_levels must be from 1 to 127"),
    ],
)
def test_settings_are_checked(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        MusicDataConfig(**settings)
