from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.video_recognition.data.clips import MOST_CLIPS, _warped, alter, clip_batches, clip_rows, scored_clips
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.frame_cache import FrameCache
from rnnapps.tasks.video_recognition.data.video import Video

STILL = {"shift": 0, "zoom": 0, "rotate_degrees": 0, "brightness": 0, "time_warp": 0}
SIZE = 16


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Video]:
    cache, draw = FrameCache(10, tmp_path_factory.mktemp("cache")), np.random.default_rng(0)
    found = []
    for number, length in enumerate((5, 9, 30, 12, 8)):
        frames = draw.integers(0, 255, (length, SIZE, SIZE, 1)).astype(np.uint8)
        found.append(Video(f"v{number}", "ab"[number % 2], cache.add(f"v{number}", frames), length))
    return found


def batches(videos: list[Video], start: int = 0, *, flip: tuple[int, int] = (-1, -1), **settings: float) -> list[dict]:
    config = VideoDataConfig(size=SIZE, clip_seconds=1.0, **settings)
    classes = [number % 2 for number in range(len(videos))]
    stream = clip_batches(videos, classes, flip, config, batch_size=4, seed=3, start_step=start)
    return list(stream.take(6).as_numpy_iterator())


def test_a_batch_depends_on_seed_and_step_only(videos: list[Video]) -> None:
    whole, later = batches(videos), batches(videos, start=2)
    for one, other in zip(whole[2:], later, strict=False):
        tf.nest.map_structure(np.testing.assert_array_equal, one, other)
    assert not np.array_equal(whole[0]["inputs"]["frames"], whole[1]["inputs"]["frames"])


def test_without_alterations_clips_are_the_videos(videos: list[Video]) -> None:
    seen = []
    for batch in batches(videos, **STILL):
        for frames, length in zip(batch["inputs"]["frames"], batch["inputs"]["lengths"], strict=True):
            match = [
                number
                for number, video in enumerate(videos)
                for first in range(video.length - int(length) + 1)
                if np.array_equal(video.rows()[first : first + length], frames[:length])
            ]
            assert len(match) == 1 and length == min(videos[match[0]].length, 10)
            assert (frames[length:] == frames[length - 1]).all()  # it stands still behind its end
            seen.append(match[0])
    for first in (0, 5, 10, 15):
        assert sorted(seen[first : first + 5]) == [0, 1, 2, 3, 4]  # each once before any again


def test_mirrored_clips_have_the_mirrored_class(videos: list[Video]) -> None:
    mirrored = 0
    for batch in batches(videos, flip=(1, 0), **STILL):
        rows = zip(batch["inputs"]["frames"], batch["targets"], strict=True)
        for frames, target in rows:
            owners = {
                flip: [n for n, video in enumerate(videos) if _shows(video, frames, flip)] for flip in (False, True)
            }
            (flip,) = [flip for flip, found in owners.items() if found]
            mirrored += flip
            assert target == (owners[flip][0] % 2) ^ flip
    assert 4 < mirrored < 20


def _shows(video: Video, frames: np.ndarray, flip: bool) -> bool:
    first = frames[0][:, ::-1] if flip else frames[0]
    return any(np.array_equal(first, frame) for frame in video.rows())


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.floats(0, 0.9), st.integers(2, 20), st.integers(0, 99))
def test_time_never_runs_backwards_nor_out_of_the_video(lengths: list[int], warp: float, time: int, seed: int) -> None:
    u = tf.random.stateless_uniform((len(lengths), 13), (seed, 1), minval=-1.0, maxval=1.0)
    rows, used = (np.asarray(found) for found in _warped(tf.constant(lengths), u, time, warp))
    assert (np.diff(rows, axis=1) >= 0).all()
    assert (rows >= 0).all() and (rows < np.array(lengths)[:, None]).all()
    assert (used >= min(2, time)).all() and (used <= time).all()
    for row, count in zip(rows, used, strict=True):
        assert (row[count:] == row[count - 1]).all()


def altered(frames: np.ndarray, numbers: dict[int, float], flip: bool = False, **settings: float) -> np.ndarray:
    u = np.zeros((1, 8), np.float32)
    for place, value in numbers.items():
        u[0, place] = value
    config = VideoDataConfig(size=SIZE, **{**STILL, **settings})
    return alter(tf.constant(frames[None]), tf.constant(u), tf.constant([flip]), config).numpy()[0]


def test_alterations_by_hand() -> None:
    frames = np.random.default_rng(1).integers(0, 255, (3, SIZE, SIZE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(altered(frames, {}), frames)
    np.testing.assert_array_equal(altered(frames, {}, flip=True), frames[:, :, ::-1])
    moved = altered(frames, {2: 1.0, 3: -0.5}, shift=0.25)
    np.testing.assert_array_equal(moved[:, 2:, :-4], frames[:, :-2, 4:])
    assert (moved[:, :2] == 0).all() and (moved[:, :, -4:] == 0).all()
    turned = altered(frames, {0: 1.0}, rotate_degrees=90)
    assert any(np.array_equal(turned, np.rot90(frames, times, axes=(1, 2))) for times in (1, 3))
    bright = altered(frames, {5: 1.0}, brightness=0.3)
    np.testing.assert_allclose(bright, np.minimum(frames * np.exp(0.3), 255), atol=0.51)


def test_clips_for_scoring_by_hand() -> None:
    assert clip_rows(5, 10).tolist() == [0]
    assert clip_rows(10, 10).tolist() == [0]
    assert clip_rows(11, 10).tolist() == [0, 1]
    assert clip_rows(25, 10).tolist() == [0, 7, 15]
    assert len(clip_rows(500, 10)) == MOST_CLIPS and clip_rows(500, 10)[-1] == 490


def test_all_clips_are_scored_once(videos: list[Video]) -> None:
    rows = list(scored_clips(videos, 10, 3))
    owners = np.concatenate([owner for _, _, owner in rows])
    assert owners[owners >= 0].tolist() == [0, 1, 2, 2, 2, 3, 3, 4]
    frames, lengths, _ = rows[0]
    np.testing.assert_array_equal(frames[0, :5], videos[0].rows())
    assert lengths.tolist() == [5, 9, 10] and (frames[0, 5:] == 0).all()


def test_cached_frames_that_are_removed_stop_the_stream(tmp_path: Path) -> None:
    path = FrameCache(1, tmp_path).add("v", np.zeros((4, SIZE, SIZE, 1), np.uint8))
    path.unlink()
    with pytest.raises(tf.errors.OpError, match="decoded frames have been removed"):
        batches([Video("v", "a", path, 4)])
