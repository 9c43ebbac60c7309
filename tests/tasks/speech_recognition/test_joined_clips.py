from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.speech_recognition.data.joined_clips import draw_strings, join_utterances
from rnnapps.tasks.speech_recognition.data.utterance import Utterance


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(0, 4),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_every_clip_occurs_as_often_and_strings_have_one_speaker(
    speakers: list[str], minimum: int, more: int, passes: int, seed: int
) -> None:
    limits = {"minimum": minimum, "maximum": minimum + more, "passes": passes}
    strings = draw_strings(speakers, **limits, sample_rate_hz=8000, seed=seed)
    counts = Counter(clip for clips in strings.clips for clip in clips)
    assert set(counts.values()) == {1 if minimum + more == 1 else passes} and len(counts) == len(speakers)
    for clips, pauses in zip(strings.clips, strings.pauses, strict=True):
        assert len({speakers[clip] for clip in clips}) == 1 and len(clips) <= minimum + more
        assert len(pauses) == len(clips) - 1 and all(160 <= pause <= 2400 for pause in pauses)
    assert strings == draw_strings(speakers, **limits, sample_rate_hz=8000, seed=seed)


def test_strings_are_not_shorter_than_asked_for() -> None:
    strings = draw_strings(["a"] * 50, minimum=3, maximum=7, passes=4, sample_rate_hz=8000, seed=0)
    assert {len(clips) for clips in strings.clips} == {3, 4, 5, 6, 7}


def test_pauses_hold_quiet_noise() -> None:
    random = np.random.default_rng(0)
    loud = np.concatenate([random.normal(0, 20, 800), random.normal(0, 4000, 1600)]).astype(np.int16)
    joined = join_utterances([Utterance(loud, "one", "a", "1"), Utterance(loud, "two", "a", "2")], [800], 8000)
    pause = joined.samples[2400:3200]
    assert joined.transcript == "one two" and joined.name == "1 + 2" and len(joined.samples) == 5600
    assert 10 < pause.std() < 30
