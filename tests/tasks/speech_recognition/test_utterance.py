from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnapps.tasks.speech_recognition.data.utterance import as_pcm, most_frequent, normalize_transcript


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello,  World!", "hello world"),
        ("It’s 'well' known", "it's well known"),
        ("e\u0301te\u0301", "été"),
        ("Twenty-one — yes", "twenty one yes"),
        ("?!", ""),
    ],
)
def test_transcripts_are_normalised(text: str, expected: str) -> None:
    assert normalize_transcript(text) == expected


def test_punctuation_can_stay() -> None:
    assert normalize_transcript(" Well,  no. ", keep_punctuation=True) == "well, no."


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalize_transcript(text)
    assert normalize_transcript(once) == once and once.split(" ") == (once.split() or [""])


def test_samples_beyond_full_scale_are_brought_down_together() -> None:
    assert as_pcm(np.array([0.5, -1.0])).tolist() == [16384, -32767]
    assert as_pcm(np.array([1.0, -4.0])).tolist() == [8192, -32767]


def test_most_frequent() -> None:
    assert most_frequent(["b", "a", "a", "b"]) == "a"
