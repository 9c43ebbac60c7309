from __future__ import annotations

import numpy as np
import pytest

from rnnapps.tasks.video_recognition.data.builtin import write_stick_figures
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.data.decoder import VideoDecoder
from rnnapps.tasks.video_recognition.data.stick_figure_film import FILM_SIZE, film
from rnnapps.tasks.video_recognition.data.stick_figures import ACTIVITIES, SHIN, THIGH, TORSO, pose_at

PAIRS = [
    ("sitting_down", "standing_up"),
    ("raising_arms", "lowering_arms"),
    ("picking_up", "putting_down"),
    ("throwing", "catching"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_each_activity_is_another_backwards(one: str, other: str) -> None:
    for progress in np.linspace(0, 1, 9):
        forwards, backwards = pose_at(one, progress), pose_at(other, 1 - progress)
        np.testing.assert_allclose(forwards.lines, backwards.lines)
        np.testing.assert_allclose(forwards.head, backwards.head)


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_limbs_keep_their_lengths_and_feet_the_floor(activity: str) -> None:
    for progress in np.linspace(0, 1, 7):
        lines = pose_at(activity, progress).lines
        lengths = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1)
        assert lengths[0] == pytest.approx(TORSO)
        assert lengths[2] == pytest.approx(THIGH) and lengths[3] == pytest.approx(SHIN)
        assert lines[3, 1, 1] == pytest.approx(0, abs=1e-9)


def test_a_standing_figure_by_hand() -> None:
    lines = pose_at("sitting_down", 0.0).lines
    assert lines[0, 0].tolist() == pytest.approx([0, THIGH + SHIN, 0])
    assert lines[0, 1].tolist() == pytest.approx([0, THIGH + SHIN + TORSO, 0])
    assert pose_at("sitting_down", 1.0).lines[0, 0, 1] < 0.6 * (THIGH + SHIN)


def test_a_film_depends_on_its_generator_only() -> None:
    frames = film("throwing", np.random.default_rng(3))
    assert frames.shape[1:] == (FILM_SIZE, FILM_SIZE, 3) and 10 <= len(frames) <= 32
    np.testing.assert_array_equal(frames, film("throwing", np.random.default_rng(3)))
    assert not np.array_equal(frames[0], film("throwing", np.random.default_rng(4))[0])


def test_films_are_videos_like_anyones(tmp_path) -> None:
    write_stick_figures(tmp_path, {"train": 1})
    files = sorted(tmp_path.rglob("*.mp4"))
    assert [path.parent.name for path in files] == sorted(ACTIVITIES)
    with VideoDecoder(VideoDataConfig(size=32, colour="rgb"), workers=1) as decoder:
        decoded = decoder.decode(files[0])
    place = list(ACTIVITIES).index(files[0].parent.name)
    drawn = film(files[0].parent.name, np.random.default_rng([0, *b"train", place, 0]))
    assert len(decoded) == len(drawn)
    assert abs(decoded.mean() - drawn.mean()) < 3
