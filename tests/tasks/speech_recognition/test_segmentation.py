"""Long recordings are cut where nobody speaks, and never held whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from rnnapps.tasks.speech_recognition.segmentation.activity import Activity, reblocked, scored_stretches
from rnnapps.tasks.speech_recognition.segmentation.config import SegmentationConfig
from rnnapps.tasks.speech_recognition.segmentation.energy import EnergyActivity, frame_decibels
from rnnapps.tasks.speech_recognition.segmentation.segments import Segment, _Held, between_pauses, blind_windows

RATE, FRAME = 1000, 10


def sound(*parts: tuple[float, float], seed: int = 0) -> np.ndarray:
    """Noise of so many seconds at such levels, one behind the other, float32 `(samples,)`."""
    draw = np.random.default_rng(seed)
    return np.concatenate([level * draw.normal(size=round(s * RATE)) for s, level in parts]).astype(np.float32)


def scores(samples: np.ndarray, activity: Activity | None = None) -> np.ndarray:
    stretches = list(scored_stretches([samples], activity or EnergyActivity(RATE), RATE))
    np.testing.assert_array_equal(np.concatenate([stretch for stretch, _ in stretches]), samples)
    return np.concatenate([own for _, own in stretches])


def given(stretch_scores: np.ndarray) -> Activity:
    """Scores that are known beforehand, stretch after stretch."""
    at = iter(range(0, len(stretch_scores), 1000))

    def activity(before: np.ndarray, stretch: np.ndarray, behind: np.ndarray) -> np.ndarray:
        first = next(at)
        return stretch_scores[first : first + -(-len(stretch) // FRAME)]

    return activity


def cut(spoken: np.ndarray, *, blocks: int = 777, **settings: float) -> list[Segment]:
    """Segments of a sound whose samples count up, of which somebody speaks in frames with scores above 0."""
    samples = np.arange(len(spoken) * FRAME, dtype=np.float32)
    config = SegmentationConfig(**settings)  # type: ignore[arg-type]
    parts = (samples[first : first + blocks] for first in range(0, len(samples), blocks))
    return list(between_pauses(parts, given(spoken.astype(np.float32)), config, RATE))


def spans(segments: list[Segment]) -> list[tuple[int, int]]:
    """First frame and the one behind the last; the samples are those of that place."""
    for segment in segments:
        np.testing.assert_array_equal(segment.samples, segment.start + np.arange(len(segment.samples)))
    return [(each.start // FRAME, -(-(each.start + len(each.samples)) // FRAME)) for each in segments]


def test_levels_by_hand() -> None:
    samples = np.array([0.1] * 10 + [1.0] * 5, np.float32)
    both = (0.01 + 0.5) / 2  # the last frame is half full
    np.testing.assert_allclose(frame_decibels(samples, 10), [10 * np.log10(both)] * 2, atol=1e-6)
    np.testing.assert_allclose(frame_decibels(np.zeros(30, np.float32), 10), [-100.0] * 3)


@pytest.mark.parametrize("background", [0.001, 0.01])
def test_speech_is_what_stands_out(background: float) -> None:
    samples = sound((3, background), (1, 0.1), (2, background), (0.5, 0.1), (5, background))
    spoken = scores(samples) > 0
    assert spoken[302:398].all() and spoken[602:648].all()
    assert not spoken[:298].any() and not spoken[402:598].any() and not spoken[652:].any()


def test_the_floor_follows_the_background() -> None:
    quiet = [(2.0, 0.001), (1.0, 0.03)] * 20
    loud = [(2.0, 0.02), (1.0, 0.6)] * 20  # its background is nearly as loud as speech was before
    spoken = (scores(sound(*quiet, *loud)) > 0).reshape(40, 300)
    for first, last in ((0, 15), (25, 40)):  # a minute around the change is nobody's
        assert spoken[first:last, 202:298].all() and not spoken[first:last, 2:198].any()


def test_noise_alone_and_digital_silence_are_no_speech() -> None:
    assert not (scores(sound((25, 0.01))) > 0).any()
    assert not (scores(np.zeros(25 * RATE, np.float32)) > 0).any()
    spoken = scores(np.concatenate([np.zeros(8 * RATE, np.float32), sound((4, 0.0001), (2, 0.1), (4, 0.0001))])) > 0
    assert spoken[1202:1398].all() and not spoken[:1198].any() and not spoken[1402:].any()


def test_segments_are_between_pauses() -> None:
    spoken = np.full(2500, -1.0)
    for first, last in ((100, 200), (230, 300), (400, 402), (1000, 1100), (2480, 2500)):
        spoken[first:last] = 1.0
    # Closer than half a second is one segment; two frames are a click; what is padded ends with the recording.
    assert spans(cut(spoken)) == [(98, 302), (998, 1102), (2478, 2500)]
    assert spans(cut(spoken, pause_seconds=0.2)) == [(98, 202), (228, 302), (998, 1102), (2478, 2500)]
    assert cut(np.full(2500, -1.0)) == []


def test_a_segment_that_is_too_long_is_cut_where_it_is_quietest() -> None:
    spoken = np.full(4000, 5.0)
    spoken[200:206] = 0.1  # in the earlier half
    spoken[800:812] = 1.0
    spoken[1500:1512] = 2.0
    found = spans(cut(spoken, longest_seconds=10.0))
    assert 800 <= found[0][1] <= 812 and 1500 <= found[1][1] <= 1512
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    assert found[0][0] == 0 and found[-1][1] == 4000 and max(end - start for start, end in found) <= 1000


def test_segments_are_the_same_in_any_blocks_bounded_and_hold_all_speech() -> None:
    draw = np.random.default_rng(1)
    for number in range(12):
        lengths = draw.integers(1, (40, 300, 900)[number % 3], 30)
        spoken = np.concatenate([np.full(length, (-1.0, 1.0)[place % 2]) for place, length in enumerate(lengths)])
        spoken *= draw.uniform(0.1, 1.0, len(spoken))
        settings = {"longest_seconds": float(draw.uniform(1, 12)), "pause_seconds": float(draw.uniform(0.1, 1))}
        found = spans(cut(spoken, **settings))
        assert found == spans(cut(spoken, blocks=3, **settings)) == spans(cut(spoken, blocks=10**6, **settings))
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(found))
        assert max(end - start for start, end in found) <= round(100 * settings["longest_seconds"])
        inside = np.zeros(len(spoken), bool)
        for start, end in found:
            inside[start:end] = True
        missed = np.diff(np.flatnonzero(np.diff(np.pad((spoken > 0) & ~inside, 1).astype(int))))[::2]
        assert missed.max(initial=0) < 3  # but for clicks


def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    most, add = 0, _Held.add

    def watched(held: _Held, samples: np.ndarray, own: np.ndarray) -> None:
        nonlocal most
        add(held, samples, own)
        most = max(most, len(held._samples))

    monkeypatch.setattr(_Held, "add", watched)

    def blocks() -> Iterator[np.ndarray]:
        for number in range(60):
            yield sound((9, 0.1 if number % 20 > 3 else 0.001), (1, 0.001), seed=number)

    segments = list(between_pauses(blocks(), EnergyActivity(RATE), SegmentationConfig(longest_seconds=20.0), RATE))
    assert len(segments) > 40 and most <= (20 + 10) * RATE


def test_blind_windows_and_blocks_of_one_size() -> None:
    samples = np.arange(25_300, dtype=np.float32)
    windows = list(blind_windows(iter(np.array_split(samples, 7)), SegmentationConfig("windows", 10.0), RATE))
    assert [window.start for window in windows] == [0, 10_000, 20_000]
    np.testing.assert_array_equal(np.concatenate([window.samples for window in windows]), samples)
    assert [len(block) for block in reblocked([samples[:7], samples[:0], samples[:8]], 5)] == [5, 5, 5]
    assert list(reblocked([samples[:0]], 5)) == []
