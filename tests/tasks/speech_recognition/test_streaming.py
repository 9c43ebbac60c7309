from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.speech_recognition.listening import CompiledStep
from rnnapps.tasks.speech_recognition.streaming import SpeechStream
from rnnapps.tasks.speech_recognition.transcription import Transcriber, padded
from tests.tasks.speech_recognition.recordings import say
from tests.tasks.speech_recognition.small import compiled, make_features, make_model, make_network

SOUND = say("lo hi mid hi lo", seed=3)


@functools.cache
def made(strides: tuple[int, ...]) -> tuple[SpeechStream, Any, Any, str]:
    """A stream, its step, the logits of the whole recording, and its transcript."""
    model = make_model(strides=strides)
    features = make_features(model)
    network = make_network(features, model)
    transcriber = Transcriber(network, features)
    logits, counts = compiled(transcriber.logits)(*padded([SOUND]))
    step = CompiledStep(network, features)
    return step.stream, step, logits[0, : int(counts[0])].numpy(), transcriber([SOUND])[0].text


def stream_in(chunks: list[np.ndarray], strides: tuple[int, ...]) -> tuple[np.ndarray, str]:
    stream, step, _, _ = made(strides)
    states, logits = stream.first_states(1), []
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        answer = step(tf.constant(chunk[None]), tf.constant([len(chunk)]), tf.constant([last]), states)
        states = {name: answer[name] for name in states}
        logits.append(answer["logits"][0].numpy())
    return np.concatenate(logits), states["transcript"].numpy()[0].decode()


def cut(sizes: list[int]) -> list[np.ndarray]:
    """The recording in chunks of the given sizes, over and over."""
    chunks, first = [], 0
    while first < len(SOUND):
        size = sizes[len(chunks) % len(sizes)]
        chunks.append(SOUND[first : first + size])
        first += size
    return chunks


@pytest.mark.parametrize("sizes", [[100_000], [800], [37, 1, 2000], [0, 333, 0], [159, 161]])
def test_any_chunks_give_what_the_whole_gives(sizes: list[int]) -> None:
    logits, text = stream_in(cut(sizes), (1, 2))
    _, _, whole, transcript = made((1, 2))
    assert logits.shape == whole.shape
    np.testing.assert_allclose(logits, whole, atol=1e-5)
    assert text.split() == transcript.split() and transcript


def test_random_chunks_and_an_end_of_their_own() -> None:
    random = np.random.default_rng(0)
    for _ in range(4):
        chunks = [*cut(random.integers(0, 900, 30).tolist()), np.zeros(0, np.float32)]
        np.testing.assert_allclose(stream_in(chunks, (1, 2))[0], made((1, 2))[2], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("strides", [(), (3,), (2, 1, 2)])
def test_other_convolutions(strides: tuple[int, ...]) -> None:
    for sizes in ([500], [41, 1200]):
        np.testing.assert_allclose(stream_in(cut(sizes), strides)[0], made(strides)[2], atol=1e-5)


def test_rows_of_a_batch_are_streams_of_their_own() -> None:
    stream, step, whole, _ = made((1, 2))
    states = stream.first_states(2)
    first, second = SOUND[:1000], SOUND[:300]
    chunk = np.zeros((2, 1000), np.float32)
    chunk[0], chunk[1, :300] = first, second
    chunk[1, 300:] = 7.0  # behind the row's end
    answer = step(tf.constant(chunk), tf.constant([1000, 300]), tf.constant([False, False]), states)
    states = {name: answer[name] for name in states}
    rest = [SOUND[1000:], SOUND[300:]]
    more = step(*padded(rest), tf.constant([True, True]), states)
    for row in (0, 1):
        counts = int(answer["outputs"][row]), int(more["outputs"][row])
        logits = np.concatenate([answer["logits"][row, : counts[0]], more["logits"][row, : counts[1]]])
        np.testing.assert_allclose(logits, whole, atol=1e-5)


def test_silence_and_nothing() -> None:
    stream, step, _, _ = made((1, 2))
    answer = step(tf.zeros((1, 0)), tf.constant([0]), tf.constant([True]), stream.first_states(1))
    features = stream.features
    assert int(answer["outputs"][0]) == features.outputs(0) == features.tail_samples // features.samples_per_output
    assert all(np.isfinite(value.numpy()).all() for value in answer.values() if value.dtype == tf.float32)
