"""What followed the longest earlier passage, against Python loops; and how much of it is believed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.music_generation.echo import BOUNDS, KINDS, PART, Echo
from rnnapps.tasks.music_generation.fit_echo import echo_fitter, fit_weights
from rnnapps.tasks.music_generation.frame_network import contexts_of, echo_of, first_states, frame_network
from rnnapps.tasks.music_generation.model_config import MusicModelConfig
from rnnapps.tasks.music_generation.objective import frame_scorer
from rnnapps.training.cost import count_operations

KEYS, STEPS = 25, 12


def piece(seed: int, steps: int = 40) -> Any:
    """A tune of few frames, parts of which return."""
    draw = np.random.default_rng(seed)
    frames = (draw.random((4, KEYS)) < 0.3).astype(np.float32)
    part = frames[draw.integers(0, 4, size=9)]
    return np.concatenate([part, part, frames[draw.integers(0, 4, size=steps)]])[:steps]


def recalled(frames: Any, steps: int) -> list[tuple[Any, int]]:
    """What follows the longest passage up to each frame, in loops."""
    found = []
    for now in range(len(frames)):
        best, best_ago = 0, 0
        for ago in range(1, min(now, steps - 1) + 1):
            length = 0
            while length + ago <= now and (frames[now - length] == frames[now - ago - length]).all():
                length += 1
            if length > best:
                best, best_ago = length, ago
        kind = sum(bound <= best for bound in BOUNDS) - 1
        found.append((frames[now - best_ago + 1] if best else np.zeros(KEYS), kind))
    return found


@pytest.fixture(scope="module")
def echo() -> Echo:
    layer = Echo(KEYS, steps=STEPS)
    layer.build()
    layer.kernel.assign(np.random.default_rng(0).normal(size=(KINDS, 2)).astype(np.float32))
    return layer


def test_the_longest_passage_is_recalled_and_of_equals_the_last(echo: Echo) -> None:
    frames = np.stack([piece(0), piece(1)])
    found, _ = echo.recall(tf.constant(frames), echo.initial_state(2))
    for row in (0, 1):
        for now, (frame, kind) in enumerate(recalled(frames[row], STEPS)):
            assert found.kind[row, now] == kind
            np.testing.assert_array_equal(found.frame[row, now], frame)
    assert len(set(found.kind.numpy().ravel())) > 4


def test_any_chunks_and_frames_that_are_not_there_change_nothing(echo: Echo) -> None:
    frames = np.stack([piece(2), piece(3)])
    whole, last = echo(tf.constant(frames), echo.initial_state(2))
    state, parts = echo.initial_state(2), []
    for part in np.split(frames, [1, 9, 9, 30], axis=1):
        logits, state = echo(tf.constant(part), state)
        parts.append(logits)
    np.testing.assert_array_equal(tf.concat(parts, axis=1), whole)
    np.testing.assert_array_equal(state, last)
    lengths = np.array([17, 0])
    there = np.arange(40) < lengths[:, None]
    shorter, state = echo(
        tf.constant(np.where(there[..., None], frames, 1.0)), echo.initial_state(2), mask=tf.constant(there)
    )
    _, expected = echo(tf.constant(frames[:1, :17]), echo.initial_state(1))
    np.testing.assert_array_equal(shorter[0, :17], whole[0, :17])
    np.testing.assert_array_equal(state[0], expected[0])
    assert not state[1].numpy().any()


def test_parts_of_a_long_piece_are_one(echo: Echo) -> None:
    long = np.concatenate([piece(seed) for seed in (4, 4, 5, 4)])[None]
    looped = tf.function(
        echo.recall, input_signature=[tf.TensorSpec((None, None, KEYS)), tf.TensorSpec((None, *echo.state_shape))]
    )
    kinds = [kind for _, kind in recalled(long[0], STEPS)]
    assert len(kinds) > 2 * PART
    for recall in (echo.recall, looped):
        found, state = recall(tf.constant(long), echo.initial_state(1))
        assert found.kind.numpy()[0].tolist() == kinds
    np.testing.assert_array_equal(state, echo.recall(tf.constant(long), echo.initial_state(1))[1])


def test_all_keys_come_back_from_their_numbers() -> None:
    layer = Echo(88, steps=3)
    frames = (np.random.default_rng(0).random((6, 88)) < 0.5).astype(np.float32)
    numbers = layer.numbers_of(tf.constant(frames))
    assert numbers.shape[1] == 4 and float(tf.reduce_min(numbers[:, 0])) >= 1
    np.testing.assert_array_equal(layer.keys_of(numbers), frames)


def test_weights_are_where_the_slope_is_nothing() -> None:
    draw = np.random.default_rng(0)
    logits, frames = draw.normal(size=(300, 6)), draw.random((300, 6)) < 0.4
    kinds, wanted = draw.integers(-1, 3, size=300), (draw.random((300, 6)) < 0.3).astype(np.float64)
    weights = fit_weights(logits, frames, kinds, wanted)
    for kind in range(KINDS):
        for silent in (0, 1):
            own = (kinds == kind)[:, None] & (frames == (not silent))
            slope = (1 / (1 + np.exp(-logits[own] - weights[kind, silent])) - wanted[own]).sum()
            assert slope + weights[kind, silent] == pytest.approx(0, abs=2e-3)
    assert not weights[3:].any(), "of kinds that do not occur nothing is known"


@pytest.mark.parametrize("hidden_units", [0, 5])
def test_a_network_with_an_echo_knows_what_returns(hidden_units: int) -> None:
    keras.utils.set_random_seed(0)
    config = MusicModelConfig(units=4, dropout=0.0)
    network = frame_network(config, KEYS, hidden_units=hidden_units, echo_steps=32)
    rolls = [piece(seed, 60) for seed in range(6)]
    score = frame_scorer(network, rolls)
    before = score().metrics()["nats_per_step"]
    echo_fitter(network, rolls)()
    after, alone = score().metrics()["nats_per_step"], frame_scorer(network, rolls, echo=False)()
    assert after < before - 2 and alone.metrics()["nats_per_step"] == pytest.approx(before)
    frames = tf.constant(rolls[0][None])
    inputs = {"frames": frames, "states": first_states(network, 1)} | ({"next_frames": frames} if hidden_units else {})
    trained = network(inputs, training=True)
    contexts, states = contexts_of(network, frames, first_states(network, 1), echo=False)
    assert not contexts[..., -KEYS:].numpy().any() and not states[-1].numpy().any()
    assert not trained["states"][-1].numpy().any(), "nothing is looked up while the network learns"
    assert echo_of(frame_network(config, KEYS)) is None
    assert sum(part.matrix for part in count_operations(network, inputs)) > 0, "a report counts what it costs"
