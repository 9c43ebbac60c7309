from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.data.guarded_answers import Refusal
from rnnapps.tasks.video_recognition.data.worker import sample, upright


def taken(times: list[float], rate: float, shown: float, longest: float = 1e6) -> list[int]:
    """Numbers of the frames that are taken, in order."""
    frames = ((time, shown, number) for number, time in enumerate(times))
    return [number for number, repeats in sample(frames, rate, longest) for _ in range(repeats)]


def test_at_each_moment_the_frame_that_is_shown_then_by_hand() -> None:
    assert taken([0.0, 0.1, 0.2, 0.3], 10, 0.1) == [0, 1, 2, 3]
    assert taken([0.0, 0.1, 0.2, 0.3], 5, 0.1) == [0, 2]
    assert taken([0.0, 0.1, 0.2, 0.3], 20, 0.1) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert taken([5.0, 5.25, 5.5], 10, 0.25) == [0, 0, 0, 1, 1, 2, 2, 2]  # moments 0 to 0.7 behind the first frame
    assert taken([0.0, 0.5], 10, 0.1) == [0] * 5 + [1]  # a long gap: the last picture stands
    assert taken([0.0], 0.5, 0.01) == [0]
    assert taken([], 10, 0.1) == []


@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.floats(1, 60))
def test_as_many_as_fit_whatever_the_times(times: list[float], rate: float) -> None:
    ordered = sorted(times)
    found = taken(ordered, rate, 0.04)
    length = ordered[-1] - ordered[0] + 0.04
    assert found == sorted(found)
    assert abs(len(found) - length * rate) <= 1.001
    for moment, number in enumerate(found):
        assert ordered[number] - ordered[0] <= moment / rate + 1e-5


def test_what_lasts_too_long_is_refused() -> None:
    with pytest.raises(Refusal, match=r"lasts longer than 2 s"):
        taken([0.0, 1.0, 2.5], 10, 0.1, longest=2)
    with pytest.raises(Refusal):
        taken([0.0, 1e12], 10, 0.1, longest=100)


def test_turned_frames_are_set_upright() -> None:
    frame = np.arange(6, dtype=np.uint8).reshape(1, 2, 3)
    assert upright(frame, 90)[:, 0].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert upright(frame, -90)[:, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert upright(frame, 180)[0].tolist() == [[3, 4, 5], [0, 1, 2]]
    assert upright(frame, 0) is not None and upright(frame, 0).tolist() == frame.tolist()
