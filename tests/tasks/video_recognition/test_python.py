"""Video recognition as Python users have it: files and arrays in, dataclasses out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

import rnnapps
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.video_recognition.baselines import PICTURES
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.file import write_mp4
from rnnapps.tasks.video_recognition.data.video import read_video_splits
from rnnapps.tasks.video_recognition.prediction import Recognition
from tests.tasks.command import as_settings, skip_report
from tests.tasks.cuts import in_parts, interrupted
from tests.tasks.video_recognition.video_files import MOVES, moving_square, write_moves
from tests.tasks.video_recognition.videos import SETTINGS, answer, succeed

PARTS = {"train": 8, "validation": 2, "test": 2}
SMALL = {**as_settings(SETTINGS), "steps": 3, "evaluate_every": 3}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnnapps.tasks.video_recognition.baselines.STILL_STEPS", 2)
        skip_report(patch)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("video") / "moves"
    for number, (part, count) in enumerate(PARTS.items()):
        write_moves(place / part, count, first=20 * number)
    return place


def pictures(path: Path) -> np.ndarray:
    """The frames of a file as they are: ten a second, 32 x 32 pixels, in colour."""
    with VideoDecoder(VideoDataConfig(), workers=1, own_size=True) as decoder:
        return decoder.decode(path)


@pytest.fixture(scope="module")
def videos(folder: Path) -> dict[str, list[tuple[np.ndarray, str]]]:
    return {
        part: [(pictures(path), path.parent.name) for path in sorted((folder / part).rglob("*.mp4"))] for part in PARTS
    }


@pytest.fixture(scope="module")
def model(folder: Path, videos: Any) -> rnnapps.Model[Any, Any, Any]:
    data = {"source": videos, "source_rate": 10}
    return rnnapps.train("video_recognition", data=data, run=folder.parent / "memory", **SMALL)


@pytest.fixture(scope="module")
def film(folder: Path) -> Path:
    """Longer than a clip, there and back."""
    path = folder.parent / "film.mp4"
    write_mp4(path, np.concatenate([moving_square("right", 77), moving_square("left", 77)]), rate=10)
    return path


def test_memory_trains_what_the_same_files_train(model: Any, folder: Path) -> None:
    of_files = rnnapps.train("video_recognition", data=folder, run=folder.parent / "files", **SMALL)
    assert model.preprocessor.labels == MOVES
    for ours, theirs in zip(model.network.weights, of_files.network.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
    first, second = (_evaluated_after(seed, one) for seed, one in enumerate((model, of_files)))
    assert first.metrics == second.metrics
    # Baselines are networks that `evaluate` trains: they are the same whatever was random before.
    assert first.baselines == second.baselines
    assert set(first.baselines) == {"majority class", "single middle frame", "mean frame", "mean change of frames"}


def _evaluated_after(seed: int, model: Any) -> Any:
    """Its evaluation where something else has drawn random numbers before."""
    keras.utils.set_random_seed(seed)
    return model.pipeline.evaluate(model._opened.fitted, model._splits)


def test_change_is_what_moves() -> None:
    """A pixel that goes 0, 4, 0 changes by 4 a step and is shown as bright as can be; one that goes up by 2, half."""
    frames = np.zeros((3, 1, 3, 1), np.uint8)
    frames[1, 0, 0], frames[:, 0, 1, 0], frames[:, 0, 2] = 4, (1, 3, 5), 9
    picture = PICTURES["mean change of frames"]
    assert picture(SimpleNamespace(rows=lambda: frames)).ravel().tolist() == [255, 128, 0]
    assert picture(SimpleNamespace(rows=lambda: frames[:1])).ravel().tolist() == [0, 0, 0]


def test_paths_are_read_as_a_folder_is(folder: Path) -> None:
    paths = {part: [(path, path.parent.name) for path in sorted((folder / part).rglob("*.mp4"))] for part in PARTS}
    ours, theirs = (
        read_video_splits(config(), paths),
        read_video_splits(dataclasses.replace(config(), source=str(folder))),
    )
    for part in PARTS:
        assert [(each.label, each.frames) for each in getattr(ours, part)] == [
            (each.label, each.frames) for each in getattr(theirs, part)
        ]


def test_predict_in_any_form_equals_the_command_line(
    model: Any, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = model.predict(film, top=2)
    assert isinstance(found, Recognition) and list(found.classes) == sorted(
        found.classes, key=lambda label: -found.classes[label]
    )
    assert found.probability == found.classes[found.label] and sum(found.classes.values()) == pytest.approx(1)
    assert answer(capsys, "predict", "--run", model.path, "--video", film)["results"] == [found.printed()]
    frames = pictures(film)
    several = [frames, (frames, 10), (np.repeat(frames, 2, axis=0), 20), str(film)]
    results = model.predict(several)
    assert [dataclasses.replace(each, video=str(film)) for each in results] == [found] * 4
    assert [each.video for each in results] == ["", "", "", str(film)]
    assert dataclasses.replace(model.predict((frames, 10)), video=str(film)) == found
    slower = model.predict((frames, 5))
    assert slower.classes != found.classes  # twice as many moments
    assert list(model.predict(frames, top=1).classes) == [found.label]


def test_a_stream_tells_what_the_command_line_prints(
    model: Any, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    succeed("stream", "--run", model.path, "--video", film, "--restart_seconds", 0.4)
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    changes = list(model.stream(film, restart_seconds=0.4))
    assert [change.printed() for change in changes] == printed and printed[0]["seconds"] == 0
    frames = pictures(film)
    for given in (frames, (frames, 10), iter(frames), (iter(np.repeat(frames, 2, axis=0)), 20)):
        assert list(model.stream(given, restart_seconds=0.4)) == changes
    live = model.stream(frames[number % 24] for number in range(10**9))
    assert next(live) == changes[0]  # it does not wait for the end


@pytest.mark.slow
def test_a_loaded_run_and_an_export_say_the_same(model: Any, film: Path, tmp_path: Path) -> None:
    found = model.predict(film)
    loaded = rnnapps.load(model.path)
    assert loaded.predict(film) == found
    with pytest.raises(DataError, match="the data of this run were given from Python"):
        loaded.evaluate()
    assert rnnapps.load(model.export(tmp_path / "models").parent).predict(film) == found


@pytest.mark.slow
def test_finetune_from_memory(model: Any, videos: Any, tmp_path: Path) -> None:
    still = [(np.repeat(frames[:1], 12, axis=0), "still") for frames, _ in videos["train"][:4]]
    more = {"train": videos["train"] + still, "validation": videos["validation"], "test": videos["test"]}
    tuned = model.finetune(more, run=tmp_path / "tuned", steps=1, evaluate_every=1)
    assert tuned.preprocessor.labels == (*MOVES, "still")


def config(**settings: Any) -> VideoDataConfig:
    return VideoDataConfig(source="memory", size=16, clip_seconds=1.0, source_rate=10, **settings)


def test_what_is_missing_is_split_off(videos: Any) -> None:
    rows = [(frames, label, f"person {number % 4}") for number, (frames, label) in enumerate(videos["train"])]
    settings = {"validation_fraction": 0.25, "test_fraction": 0.25}
    splits = read_video_splits(config(**settings), videos["train"])
    parts = (splits.train, splits.validation, splits.test)
    assert [len(part) for part in parts] == [8, 4, 4]
    assert all({video.label for video in part} == set(MOVES) for part in parts)
    groups = read_video_splits(config(groups="person .", **settings), rows)
    people = [{video.name for video in part} for part in (groups.train, groups.validation, groups.test)]
    assert [len(part) for part in people] == [2, 1, 1] and len(set.union(*people)) == 4
    frame = pd.DataFrame(rows, columns=["video", "label", "name"])
    assert read_video_splits(config(groups="person .", **settings), frame).digest() == groups.digest()
    assert read_video_splits(config(groups="person .", **settings), rows[:-1]).digest() != groups.digest()


FRAMES = np.zeros((12, 20, 30, 3), np.uint8)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (7, r"memory: train is of type int; give a list or a frame: give \(video, label\)"),
        ([(FRAMES, "a"), (FRAMES, 3)], r"memory: train\[1\]: the label is of type int"),
        ([(FRAMES, "a"), (3, "a")], r"memory: train\[1\]: is of type int; give a path, frames uint8"),
        ([(FRAMES[0], "a")], r"train\[0\]: has the shape \(20, 30, 3\); give a path, frames uint8"),
        ([(FRAMES / 255, "a")], r"train\[0\]: has frames of float64 \(20, 30, 3\); a frame is uint8"),
        ([(FRAMES[..., :1], "a")], r"has frames of uint8 \(20, 30, 1\); a frame is uint8"),
        ([((FRAMES, 0), "a")], r"train\[0\]: has 0 frames a second; a rate is from 0\.01 to 1000"),
        ([(FRAMES[:0], "a")] * 3, r"train\[\d\]: lasts 0 s; expected more than 0 and at most 120"),
        ([(f"none{number}.mp4", "a") for number in range(3)], r"none\d\.mp4: cannot be read: No such file"),
        ([(FRAMES, "a")] * 9, "memory: has only the class a to learn from"),
        ([(FRAMES, "a"), (FRAMES, "b")], "memory: has 1 videos of the class a, too few to hold some out"),
    ],
)
def test_wrong_data_are_one_line(given: object, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint) as raised:
        read_video_splits(config(), given)
    assert "\n" not in str(raised.value)


def test_wrong_inputs_are_one_line(model: Any, film: Path) -> None:
    for given, complaint in (
        ([FRAMES, 3], r"memory: inputs\[1\]: is of type int; give a path"),
        (FRAMES / 255, r"memory: input: has frames of float64"),
        (Path("gone.mp4"), r"gone\.mp4: does not exist"),
        ((FRAMES, 0.01), r"memory: input: lasts 1200 s; expected more than 0 and at most 120"),
    ):
        with pytest.raises(DataError, match=complaint):
            model.predict(given)
    for given, complaint in (
        (3, "memory: input: is of type int; give a path, or an iterable of frames"),
        ([FRAMES[0], FRAMES[0] / 255], r"memory: input\[1\]: has frames of float64"),
        ((FRAMES, -1), "has -1 frames a second"),
    ):
        with pytest.raises(DataError, match=complaint):
            list(model.stream(given))
    with pytest.raises(ConfigError, match="the input is given twice"):
        model.predict(film, video="other.mp4")
    with pytest.raises(ConfigError, match="the input is given twice"):
        list(model.stream(film, camera="/dev/video0"))
    with pytest.raises(ConfigError, match="name a video with --video"):
        model.predict()


def test_a_stream_goes_on_from_its_state(model: Any, film: Path, tmp_path: Path) -> None:
    frames, rate = pictures(film), model.preprocessor.frames_per_second
    whole = list(model.stream((frames, rate), restart_seconds=0.4))
    assert len(whole) > 1
    for cut in (1, 5, 20, len(frames) - 1):
        parts = [(part, rate) for part in (frames[:cut], frames[cut:])]
        assert in_parts(model, parts, tmp_path / str(cut), restart_seconds=0.4) == whole
    changes = list(model.stream(film, restart_seconds=0.4))
    assert interrupted(model, film, tmp_path / "film", after=1, restart_seconds=0.4) == changes
