from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig, mirror_images
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.sources import dealt
from rnnapps.tasks.video_recognition.data.video import read_video_splits
from tests.tasks.video_recognition.video_files import moving_square, write_moves


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("RNNAPPS_CACHE", str(tmp_path_factory.getbasetemp() / "frames_of_test_video"))


@pytest.fixture(scope="module")
def moves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_moves(tmp_path_factory.mktemp("moves") / "all", 8)


def config(source: object, **settings: object) -> VideoDataConfig:
    return VideoDataConfig(source=str(source), size=16, clip_seconds=1.0, **settings)


def names(part: object) -> list[str]:
    return [video.name for video in part]


def test_a_folder_of_classes_is_dealt_out_class_by_class(moves: Path) -> None:
    found = read_video_splits(config(moves, validation_fraction=0.25, test_fraction=0.25))
    parts = (found.train, found.validation, found.test)
    assert [len(part) for part in parts] == [8, 4, 4]
    assert all(sorted({video.label for video in part}) == ["left", "right"] for part in parts)
    assert len({name for part in parts for name in names(part)}) == 16
    assert found.train[0].rows().shape == (12, 16, 16, 1) and found.train[0].length == 12
    assert read_video_splits(config(moves, validation_fraction=0.25, test_fraction=0.25)).digest() == found.digest()


def test_groups_are_never_on_both_sides(moves: Path) -> None:
    found = read_video_splits(config(moves, groups=r"p(\d)_", validation_fraction=0.25, test_fraction=0.25))
    persons = [
        {video.name.split("/")[-1].split("_")[0] for video in part}
        for part in (found.train, found.validation, found.test)
    ]
    assert [len(part) for part in persons] == [2, 1, 1] and len(set.union(*persons)) == 4
    with pytest.raises(DataError, match=r"finds no group in it; correct --data\.groups"):
        read_video_splits(config(moves, groups="person"))


def test_folders_of_parts_are_the_split_and_what_is_missing_comes_from_train(moves: Path, tmp_path: Path) -> None:
    shutil.copytree(moves, tmp_path / "Train")
    shutil.copytree(moves, tmp_path / "TEST")
    found = read_video_splits(config(tmp_path, validation_fraction=0.25))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [12, 4, 16]
    assert all(name.startswith("Train/") for name in names(found.validation))
    shutil.copytree(moves / "left", tmp_path / "val" / "left")
    assert len(read_video_splits(config(tmp_path)).validation) == 8
    (tmp_path / "dev").mkdir()
    with pytest.raises(DataError, match="has dev and val, which all mean the validation part; keep or rename one"):
        read_video_splits(config(tmp_path))


def test_a_class_may_be_called_train(moves: Path, tmp_path: Path) -> None:
    shutil.copytree(moves / "left", tmp_path / "train")
    shutil.copytree(moves / "right", tmp_path / "bus")
    assert {video.label for video in read_video_splits(config(tmp_path)).train} == {"train", "bus"}


def test_another_source_may_be_the_test_split(moves: Path, tmp_path: Path) -> None:
    other = write_moves(tmp_path / "other", 2, first=30)
    found = read_video_splits(config(moves, test=str(other), validation_fraction=0.25))
    assert names(found.test) == ["left/p2_30.mp4", "left/p3_31.mp4", "right/p2_30.mp4", "right/p3_31.mp4"]
    assert (len(found.train), len(found.validation)) == (12, 4)


def test_a_table_names_videos_labels_and_splits(moves: Path, tmp_path: Path) -> None:
    rows = [f"{path},{path.parent.name}" for path in sorted(moves.rglob("*.mp4"))]
    parts = ["train"] * 3 + ["validation", "Test", "val", "", "training"]
    table = tmp_path / "videos.csv"
    table.write_text(
        "video,label,split\n" + "".join(f"{row},{part}\n" for row, part in zip(rows, parts * 2, strict=True))
    )
    found = read_video_splits(config(table))
    assert [len(part) for part in (found.train, found.validation, found.test)] == [10, 4, 2]
    table.write_text("video,label\n" + "\n".join(rows))
    assert len(read_video_splits(config(table)).train) == 12


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("file,label\na.mp4,x\n", "has the columns file, label; expected video, label"),
        ("video,label\na.mp4,\n", "line 2: a row needs a video and a label"),
        ("video,label,split\na.mp4,x,held\n", "line 2: the split 'held' is none of"),
        ("video,label\n", "names no video"),
        ("video,label\nmissing.mp4,x\nmissing2.mp4,x\nmissing3.mp4,x\n", r"missing\d?\.mp4"),
    ],
)
def test_bad_tables_are_one_line(content: str, complaint: str, tmp_path: Path) -> None:
    table = tmp_path / "videos.csv"
    table.write_text(content)
    with pytest.raises(DataError, match=complaint) as raised:
        read_video_splits(config(table))
    assert "\n" not in str(raised.value)


def test_bad_folders_are_one_line(moves: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist; give a folder"):
        read_video_splits(config(tmp_path / "none"))
    with pytest.raises(DataError, match="holds no video"):
        read_video_splits(config(tmp_path))
    shutil.copytree(moves / "left", tmp_path / "one" / "left")
    with pytest.raises(DataError, match="only the class left to learn from; give videos of two classes"):
        read_video_splits(config(tmp_path / "one"))
    shutil.copy(moves / "left" / "p0_00.mp4", tmp_path / "one" / "stray.mp4")
    with pytest.raises(DataError, match=r"stray\.mp4: lies in no folder of a class"):
        read_video_splits(config(tmp_path / "one"))
    shutil.copytree(moves, tmp_path / "two" / "train")
    shutil.copytree(moves / "left", tmp_path / "two" / "test" / "up")
    with pytest.raises(DataError, match="is of the class up, of which there is no training video"):
        read_video_splits(config(tmp_path / "two"))
    damaged = tmp_path / "two" / "train" / "left" / "p0_00.mp4"
    damaged.write_bytes(damaged.read_bytes()[:300])
    with pytest.raises(DataError, match=r"p0_00\.mp4: cannot be decoded"):
        read_video_splits(config(tmp_path / "two"))


def test_a_compressed_video_is_read_as_what_it_holds(moves: Path, tmp_path: Path) -> None:
    shutil.copytree(moves, tmp_path / "all")
    path = tmp_path / "all" / "left" / "p0_00.mp4"
    path.with_name("p0_00.mp4.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    plain, packed = (
        {Path(video.name).name.removesuffix(".gz"): video.rows() for part in splits.named().values() for video in part}
        for splits in (read_video_splits(config(source)) for source in (moves, tmp_path / "all"))
    )
    np.testing.assert_array_equal(packed["p0_00.mp4"], plain["p0_00.mp4"])


def test_a_damaged_video_is_left_out_and_counted(moves: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copytree(moves, tmp_path / "all")
    for name in ("left/p0_00.mp4", "right/p1_01.mp4"):
        (tmp_path / "all" / name).write_bytes((tmp_path / "all" / name).read_bytes()[:300])
    found = read_video_splits(config(tmp_path / "all", bad_limit=0.2))
    assert [Path(each.file).name for each in found.skipped] == ["p0_00.mp4", "p1_01.mp4"]
    assert sum(map(len, found.named().values())) == 14
    assert "2 of 16 videos cannot be read and are left out" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"2 of 16 videos cannot be read: .*p0_00\.mp4: cannot be decoded"):
        read_video_splits(config(tmp_path / "all"))


def test_what_is_cached_is_not_decoded_again(moves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_video_splits(config(moves))
    monkeypatch.setattr(VideoDecoder, "decode", lambda *_, **__: pytest.fail("decoded again"))
    after = read_video_splits(config(moves))
    assert [video.frames for video in before.train] == [video.frames for video in after.train]


def test_ucf101_of_mock_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow_datasets as tfds

    videos = [moving_square(move, number) for number in range(6) for move in ("left", "right")]

    def rows(*_: object, **__: object) -> tf.data.Dataset:
        return tf.data.Dataset.from_tensor_slices({"video": np.stack(videos), "label": [3, 7] * 6})

    original = tfds.builder

    def with_splits(name: str, data_dir: str | None = None) -> tfds.core.DatasetBuilder:
        builder = original(name, data_dir=str(tmp_path))
        splits = [tfds.core.SplitInfo(name=split, shard_lengths=[12], num_bytes=0) for split in ("train", "test")]
        builder.info.set_splits(tfds.core.SplitDict(splits))
        return builder

    monkeypatch.setattr(tfds, "builder", with_splits)
    with tfds.testing.mock_data(as_dataset_fn=rows):
        found = read_video_splits(config("tfds:ucf101", source_rate=20.0, validation_fraction=0.2))
    assert len({video.label for video in found.train}) == 2
    assert all(video.length == 6 for video in found.train)  # twelve frames at 20 a second, taken at 10
    assert len(found.test) == 12 and found.test[0].name == "test/0"  # ucf101 has a test split of its own


@dataclass(frozen=True)
class Item:
    name: str
    label: str


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), min_size=30, max_size=60), st.booleans())
def test_dealing_loses_and_doubles_nothing(rows: list[tuple[int, str]], grouped: bool) -> None:
    items = [Item(f"g{group}_{place}", label) for place, (group, label) in enumerate(rows)]
    asked = VideoDataConfig(groups=r"g\d" if grouped else "")
    try:
        parts = dealt({"train": items}, asked)
    except DataError:
        return  # too few groups, or videos of a class
    together = [item for part in parts.values() for item in part]
    assert sorted(together, key=lambda item: item.name) == sorted(items, key=lambda item: item.name)
    assert all(parts.values())
    if grouped:
        groups = [{item.name[:2] for item in part} for part in parts.values()]
        assert sum(map(len, groups)) == len(set.union(*groups))


def test_mirror_images_by_hand() -> None:
    labels = ("jump", "left", "right", "wave")
    assert mirror_images((), labels) == [-1, -1, -1, -1]
    assert mirror_images(("left=right", "jump"), labels) == [0, 2, 1, -1]
    assert mirror_images(("*", "left=right"), labels) == [0, 2, 1, 3]
    with pytest.raises(ConfigError, match="there is no label 'up'; the labels are jump"):
        mirror_images(("up",), labels)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"groups": "("}, "is no regular expression"),
        ({"clip_seconds": 0.1}, "two frames or more"),
        ({"crop": "left"}, "data.crop must be one of centre, stretch, subject"),
        ({"size": 8}, "data.size must be from 16 to 512"),
        ({"longest_seconds": 7000.0}, "more than 20,000 frames"),
        ({"validation_fraction": 0.6, "test_fraction": 0.5}, "leave no video to train on"),
    ],
)
def test_bad_settings_are_one_line(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        VideoDataConfig(**settings)


def test_frames_that_another_run_evicted_are_decoded_again(moves: Path, tmp_path: Path) -> None:
    source = tmp_path / "moves"
    shutil.copytree(moves, source)
    video = read_video_splits(config(source)).train[0]
    before = video.rows()
    video.frames.unlink()
    np.testing.assert_array_equal(video.rows(np.array([3, 1])), before[[3, 1]])
    video.frames.unlink()
    (source / video.name).unlink()
    with pytest.raises(DataError, match=r"does not exist|cannot be read"):
        video.rows()
