from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.music_generation.frame_network import frame_network
from rnnapps.tasks.music_generation.metrics.frames import baselines, score_frames
from rnnapps.tasks.music_generation.model_config import MusicModelConfig
from rnnapps.tasks.music_generation.objective import frame_scorer

DRAW = np.random.default_rng(0)


def rolls(*lengths: int, keys: int = 5) -> list[np.ndarray[Any, Any]]:
    return [(DRAW.uniform(size=(length, keys)) < 0.3).astype(np.uint8) for length in lengths]


def gru_nats(network: Any, roll: np.ndarray[Any, Any]) -> float:
    """Nats of all frames of a piece but its first in float64 NumPy, frame by frame, with no code of the package.

    Source: Cho et al. 2014 with Keras's `reset_after=True`; an independent Bernoulli variable a key.
    """
    weights = {weight.path.rpartition("/")[2]: weight.numpy().astype(np.float64) for weight in network.weights[:3]}
    kernel, bias = (weight.numpy().astype(np.float64) for weight in network.weights[3:])
    state, total = np.zeros(kernel.shape[0]), 0.0
    for step in range(len(roll)):
        before = roll[step - 1] if step else np.zeros(roll.shape[1])
        inputs = np.split(before @ weights["kernel"] + weights["bias"][0], 3)
        recurrent = np.split(state @ weights["recurrent_kernel"] + weights["bias"][1], 3)
        update, reset = (1 / (1 + np.exp(-(inputs[gate] + recurrent[gate]))) for gate in (0, 1))
        state = update * state + (1 - update) * np.tanh(inputs[2] + reset * recurrent[2])
        on = 1 / (1 + np.exp(-(state @ kernel + bias)))
        if step:
            total -= np.log(np.where(roll[step] > 0, on, 1 - on)).sum()
    return total


def test_the_score_is_the_mean_over_all_predicted_steps_of_all_pieces() -> None:
    network = frame_network(MusicModelConfig(units=7, dropout=0.0), 5)
    for weight in network.weights:
        weight.assign(DRAW.normal(size=weight.shape))
    pieces = rolls(3, 150, 1, 64, 65, 2)
    by_hand = sum(gru_nats(network, piece) for piece in pieces) / sum(len(piece) - 1 for piece in pieces)
    assert frame_scorer(network, pieces)()["nats_per_step"] == pytest.approx(by_hand, rel=1e-5)


def test_the_greedy_frame_is_built_from_its_own_keys() -> None:
    network = frame_network(MusicModelConfig(units=4, dropout=0.0), 2, hidden_units=3)
    distribution = network.get_layer("keys")
    for weight in distribution.weights:
        weight.assign(tf.zeros(weight.shape))
    distribution.bias.assign([1.0, -1.0])
    distribution.key_kernel.assign([[0.0, 3.0], [0.0, 0.0]])  # the upper key sounds if the lower one does
    truth = np.array([[0, 0], [0, 0], [1, 1]], np.uint8)
    # expected is always [1, 1]: of 4 keys in the two scored frames, 2 hit and 2 are wrong
    assert frame_scorer(network, [truth])()["frame_accuracy"] == 0.5


def test_baselines_are_laplace_smoothed_counts() -> None:
    train = [np.array([[1, 0], [1, 0], [0, 1]], np.uint8)]
    held_out = [np.array([[1, 0], [1, 1]], np.uint8)]
    found = {name: metrics["nats_per_step"] for name, metrics in baselines(train, held_out).items()}
    # key 0 sounded twice and stayed once: 2/4; key 1 did not sound twice and began once: 2/4
    assert found["first-order Markov"] == pytest.approx(-np.log(0.5) - np.log(0.5))
    assert found["pitch unigram"] == pytest.approx(-np.log(0.5) - np.log(0.5))
    # both keys: of 2 that sounded 1 stayed: 2/4; of 2 that did not 1 began: 2/4
    assert found["repeat the last step"] == pytest.approx(-2 * np.log(0.5))


def test_a_perfect_and_a_blind_model_have_known_scores() -> None:
    pieces = rolls(40, 9)

    def blind(frames: Any, next_frames: Any, states: Any) -> Any:
        return tf.zeros_like(next_frames), next_frames, states

    score = score_frames(blind, lambda rows: [], pieces, batch_size=2, window_steps=8)
    assert (score.steps, score.misjudged) == (47, 0)
    assert score.metrics() == {"nats_per_step": pytest.approx(5 * np.log(2)), "frame_accuracy": 1.0}
