from __future__ import annotations

import dataclasses
import itertools
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.contract.stream_memory import StreamMemory
from rnnapps.errors import ConfigError, DataError
from rnnapps.tasks.video_recognition.baselines import _majority
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.frame_cache import FrameCache
from rnnapps.tasks.video_recognition.data.video import Video
from rnnapps.tasks.video_recognition.model import build_network
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig
from rnnapps.tasks.video_recognition.objective import cross_entropy
from rnnapps.tasks.video_recognition.scoring import clip_probabilities, numbers_of, video_scorer
from rnnapps.tasks.video_recognition.streaming import camera_frames, changes
from rnnapps.tasks.video_recognition.video_format import VideoFormat

SEEN = VideoFormat.of(VideoDataConfig(size=16, clip_seconds=0.5), ("a", "b", "c"))
SMALL = VideoModelConfig(units=6, filters=(3, 4), frame_units=5, attention_units=4)


@pytest.fixture(scope="module")
def network() -> object:
    found = build_network(SMALL, SEEN)
    draw = np.random.default_rng(0)
    for weight in found.trainable_weights:
        weight.assign(draw.normal(0, 0.5, weight.shape))
    return found


def test_the_graph_averages_the_same_clips_as_evaluation(network: object, tmp_path: Path) -> None:
    cache, draw, lengths = FrameCache(10, tmp_path), np.random.default_rng(1), (3, 5, 6, 17, 80)
    contents = [draw.integers(0, 255, (length, 16, 16, 1)).astype(np.uint8) for length in lengths]
    videos = [
        Video(str(place), "a", cache.add(str(place), content), len(content)) for place, content in enumerate(contents)
    ]
    expected = video_scorer(network, videos, 5)()
    frames = np.full((5, 80, 16, 16, 1), 99, np.uint8)
    for row, content in enumerate(contents):
        frames[row, : len(content)] = content
    graph = tf.function(lambda rows, counts: clip_probabilities(network, rows, counts, 5))
    found = graph(tf.constant(frames), tf.constant(lengths, tf.int32)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    alone = graph(tf.constant(frames[3:4, :17]), tf.constant(lengths[3:4], tf.int32)).numpy()
    np.testing.assert_allclose(alone, found[3:4], atol=1e-5)


def test_label_smoothing_by_hand() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]]))
    found = cross_entropy(3, 0.3)({"logits": tf.constant(logits, tf.float32)}, {"targets": tf.constant([0])})
    assert float(found) == pytest.approx(-(0.8 * np.log(0.7) + 0.1 * np.log(0.2) + 0.1 * np.log(0.1)), rel=1e-5)


def test_the_majority_class_by_hand() -> None:
    assert _majority(np.array([0, 0, 2]), 2, 3).tolist() == [[0.5, 1 / 6, 2 / 6]] * 2


def test_a_bidirectional_network_does_not_stream() -> None:
    both_ways = build_network(dataclasses.replace(SMALL, bidirectional=True), SEEN)
    with pytest.raises(ConfigError, match="cannot stream; train with bidirectional false"):
        next(changes(both_ways, SEEN, []))


@pytest.mark.parametrize(
    ("device", "complaint"),
    [
        ("/dev/nothing", "/dev/nothing: does not exist; name a camera: /dev/video0, or kind:name"),
        ("webcam:0", "webcam:0: does not exist"),
        ("/dev/null", "/dev/null: cannot be read as a camera"),
        ("lavfi:movie=/none.mp4", "lavfi:movie=/none.mp4: cannot be read as a camera"),
        ("lavfi:nothing", "lavfi:nothing: cannot be read as a camera"),
    ],
)
def test_a_camera_that_is_none_is_a_clear_error(device: str, complaint: str) -> None:
    with pytest.raises(DataError, match=re.escape(complaint)):
        next(camera_frames(device, SEEN, StreamMemory()))


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has such devices")
def test_a_kind_of_camera_of_another_system_is_a_clear_error() -> None:
    with pytest.raises(DataError, match="PyAV reads no avfoundation devices on this system"):
        next(camera_frames("avfoundation:0", SEEN, StreamMemory()))


def test_a_live_source_comes_at_the_model_s_rate() -> None:
    """FFmpeg's clock: a grey that grows with each of 30 frames a second, given out in real time."""
    live = "lavfi:color=black:size=32x32:rate=30,format=gray,geq=lum='8*N',realtime"
    begun = time.monotonic()
    frames = list(itertools.islice(camera_frames(live, SEEN, StreamMemory()), 8))
    assert time.monotonic() - begun > 0.6
    assert [int(frame[8, 8, 0]) for frame in frames] == pytest.approx([24 * place for place in range(8)], abs=2)
    assert all(frame.shape == (16, 16, 1) for frame in frames)


def test_other_classes_than_the_models_are_refused_in_one_line() -> None:
    videos = [Video(f"{label}.mp4", label, Path(f"{label}.npy"), 9) for label in "ab"]
    assert numbers_of(videos, ("b", "a")).tolist() == [1, 0]
    with pytest.raises(
        DataError, match=r"^b.mp4: is of the class 'b', which the model does not know; it knows a, c; fine"
    ):
        numbers_of(videos, ("a", "c"))
