from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.speech_recognition.decoding.ctc_alignment import log_probability
from rnnapps.tasks.speech_recognition.model_config import DecodingConfig
from rnnapps.tasks.speech_recognition.transcription import Transcriber, padded
from tests.tasks.speech_recognition.recordings import say
from tests.tasks.speech_recognition.small import compiled, make_features, make_model, make_network

RECORDINGS = [
    say("lo hi mid"),
    np.zeros(0, np.float32),
    say("hi", seed=1),
    np.zeros(2000, np.float32),
    say("mid", seed=2),
]


@functools.cache
def transcriber(beam_width: int = 1, bidirectional: bool = True) -> Transcriber:
    model = make_model(bidirectional=bidirectional)
    features = make_features(model)
    return Transcriber(make_network(features, model), features, DecodingConfig(beam_width=beam_width))


def test_a_batch_of_different_lengths_is_one_by_one() -> None:
    together = transcriber()(RECORDINGS)
    for recording, expected in zip(RECORDINGS, together, strict=True):
        alone = transcriber()([recording])[0]
        assert (alone.text, alone.words) == (expected.text, expected.words)
        np.testing.assert_allclose(alone.confidence, expected.confidence, rtol=1e-3)


def test_what_lies_behind_a_row_has_no_influence() -> None:
    waveforms, lengths = padded(RECORDINGS)
    dirty = np.where(np.arange(waveforms.shape[1]) < lengths.numpy()[:, None], waveforms, 0.9)
    logits = compiled(transcriber().logits)
    clean, counts = logits(waveforms, lengths)
    other, _ = logits(tf.constant(dirty, tf.float32), lengths)
    np.testing.assert_array_equal(clean, other)
    features = transcriber().features
    assert counts.numpy().tolist() == [features.outputs(len(each)) for each in RECORDINGS]


@pytest.mark.parametrize("beam_width", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_words_times_and_confidence(beam_width: int) -> None:
    found = transcriber(beam_width)(RECORDINGS)
    assert any(each.words for each in found)
    for recording, transcript in zip(RECORDINGS, found, strict=True):
        assert " ".join(word for word, _, _ in transcript.words) == transcript.text
        times = [time for _, start, end in transcript.words for time in (start, end)]
        assert times == sorted(times) and all(0 <= time <= len(recording) / 8000 + 1e-3 for time in times)
        assert 0 <= transcript.confidence <= 1


def test_confidence_is_the_probability_of_the_transcript() -> None:
    one = transcriber()
    logits, outputs = compiled(one.logits)(*padded(RECORDINGS[:1]))
    scores = tf.nn.log_softmax(logits)
    symbols, counts = one.symbols(scores, outputs)
    expected = float(np.exp(log_probability(scores, outputs, symbols, counts)[0]))
    np.testing.assert_allclose(one(RECORDINGS[:1])[0].confidence, expected, rtol=1e-3)


def test_no_recordings() -> None:
    assert transcriber()([]) == []
