from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.tasks.video_recognition.client import encode_gif, encode_png
from rnnapps.tasks.video_recognition.data.config import Colour, Crop, VideoDataConfig
from rnnapps.tasks.video_recognition.data.worker import crop_box
from rnnapps.tasks.video_recognition.video_format import VideoFormat
from rnnapps.tasks.video_recognition.working_frames import to_working_size

CONFIG = VideoDataConfig(size=16)


def pictures(frames: int = 3, height: int = 40, width: int = 60) -> np.ndarray:
    """Noise around a bright body before black."""
    found = np.zeros((frames, height, width, 3), np.uint8)
    draw = np.random.default_rng(5)
    for number in range(frames):
        found[number, 8:35, 20 + 2 * number : 33 + 2 * number] = draw.integers(60, 255, (27, 13, 3))
    return found


@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize("crop", ["centre", "stretch", "subject"])
def test_the_graph_makes_the_frames_of_training(crop: Crop, colour: Colour) -> None:
    seen = VideoFormat.of(VideoDataConfig(size=16, crop=crop, colour=colour), ("a", "b"))
    rows = pictures()
    strings = tf.constant([[encode_png(picture) for picture in rows], [b"no picture"] * 3])
    found = tf.function(seen.decode)(strings, tf.constant([2, 0])).numpy()
    box = crop_box(rows[0], crop)
    expected = [to_working_size(picture, box, 16, grey=colour == "grey") for picture in rows[:2]]
    assert np.abs(found[0, :2].astype(int) - np.stack(expected)).max() <= 1  # halves may be rounded either way
    assert (found[0, 2] == 0).all() and (found[1] == 0).all()


def test_animations_of_different_lengths() -> None:
    seen = VideoFormat.of(CONFIG, ("a", "b"))
    files = [encode_gif(pictures(frames)) for frames in (4, 2)]
    frames, lengths = tf.function(seen.decode_animations)(tf.constant(files))
    assert lengths.numpy().tolist() == [4, 2] and frames.shape == (2, 4, 16, 16, 1)
    expected = to_working_size(pictures(4)[3], crop_box(pictures(4)[3], "centre"), 16, grey=True)
    assert np.abs(frames.numpy()[0, 3].astype(int) - expected).mean() < 20  # a GIF has few colours
    assert (frames.numpy()[1, 2:] == 0).all()


def test_labels_grow_behind_the_known_ones() -> None:
    first = VideoFormat.of(CONFIG, ("b", "d", "b"))
    assert first.labels == ("b", "d")
    assert first.grow(CONFIG, ("a", "d", "c")).labels == ("d", "a", "c")
    keep = dataclasses.replace(CONFIG, known_classes="keep")
    assert first.grow(keep, ("a", "d", "c")).labels == ("b", "d", "a", "c")
    with pytest.raises(ConfigError, match=r"data\.size is 32, but the model knows 16"):
        first.grow(VideoDataConfig(size=32), ("a",))


def test_files(tmp_path: Path) -> None:
    seen = VideoFormat.of(VideoDataConfig(size=16, crop="stretch", clip_seconds=2.0), ("b", "d"))
    seen.save(tmp_path)
    assert VideoFormat.load(tmp_path) == seen and VideoFormat.load(tmp_path).trained
    (tmp_path / "video.json").write_text('{"labels": ["a"], "size": 3}')
    with pytest.raises(CheckpointError, match=r"video\.json: data.size must be from 16 to 512"):
        VideoFormat.load(tmp_path)
    (tmp_path / "video.json").write_text('{"size": 64}')
    with pytest.raises(CheckpointError, match="restore the file"):
        VideoFormat.load(tmp_path)
