from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.music_generation.frame_network import frame_network
from rnnapps.tasks.music_generation.metrics.frame_baselines import _history_counts, _history_table, score_baselines
from rnnapps.tasks.music_generation.metrics.frames import (
    FrameScore,
    best_threshold,
    frame_nats,
    score_frames,
)
from rnnapps.tasks.music_generation.model_config import MusicModelConfig
from rnnapps.tasks.music_generation.objective import frame_scorer

DRAW = np.random.default_rng(0)


def baselines(*given: Any, **options: Any) -> dict[str, dict[str, float]]:
    """The metrics of each baseline."""
    return {name: score.metrics() for name, score in score_baselines(*given, **options).items()}


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
    assert frame_scorer(network, pieces)().metrics()["nats_per_step"] == pytest.approx(by_hand, rel=1e-5)


def test_the_greedy_frame_is_built_from_its_own_keys() -> None:
    network = frame_network(MusicModelConfig(units=4, dropout=0.0), 2, hidden_units=3)
    distribution = network.get_layer("keys")
    for weight in distribution.weights:
        weight.assign(tf.zeros(weight.shape))
    distribution.bias.assign([1.0, -1.0])
    distribution.key_kernel.assign([[0.0, 3.0], [0.0, 0.0]])  # the upper key sounds if the lower one does
    truth = np.array([[0, 0], [0, 0], [1, 1]], np.uint8)
    # expected is always [1, 1]: of 4 keys in the two scored frames, 2 hit and 2 are wrong
    assert frame_scorer(network, [truth])().metrics()["frame_accuracy"] == 0.5


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


def test_accuracy_by_hand() -> None:
    """Three expected keys sound, one of them wrongly, and one that sounds was not expected: 2 / (2 + 2)."""
    assert FrameScore(6.0, 4, 2, 2).metrics() == {"nats_per_step": 1.5, "frame_accuracy": 0.5}
    assert FrameScore(6.0, 4).metrics()["frame_accuracy"] == 0


def test_nats_of_a_frame_are_summed_over_its_keys() -> None:
    nats = frame_nats(tf.constant([[[0.0, 100.0], [0.0, -100.0]]]), tf.constant([[[1.0, 1.0], [0.0, 1.0]]]))
    np.testing.assert_allclose(nats, [[np.log(2), np.log(2) + 100]], rtol=1e-6)


def test_each_frame_is_predicted_from_those_before_it_and_what_came_with_the_state() -> None:
    """A model that expects the last frame again, and counts in its state what it has read."""
    seen: list[tuple[tuple[int, ...], float]] = []

    def repeats(frames: Any, next_frames: Any, states: Any) -> Any:
        seen.append((tuple(frames.shape), float(states[0][0])))
        return 200 * frames - 100, frames, [states[0] + 1]

    pieces = [np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], np.uint8), np.array([[1, 1]], np.uint8)]
    score = score_frames(repeats, lambda rows: [tf.zeros(rows)], pieces, batch_size=2, window_steps=2)
    # Of the four predicted frames only the third is another one: its two keys cost 100 nats each.
    assert (score.nats, score.steps, score.hits, score.misjudged) == (pytest.approx(200), 4, 3, 2)
    assert seen == [((2, 2, 2), 0), ((2, 2, 2), 1), ((2, 2, 2), 2)]
    again = score_frames(repeats, lambda rows: [tf.zeros(rows)], pieces, batch_size=1, window_steps=64)
    assert (again.steps, again.hits, again.misjudged) == (4, 3, 2)
    assert seen[3:] == [((1, 64, 2), 0), ((1, 64, 2), 0)]


def test_baselines_by_hand() -> None:
    """Training: key 0 sounds 3 times before a frame and stays twice; key 1 never, and never begins (of 3)."""
    train = [np.array([[1, 0], [1, 0], [1, 0], [0, 0]], np.uint8)]
    held_out = [np.array([[1, 0], [1, 0], [0, 0]], np.uint8)]
    found = baselines(train, held_out)
    markov = [(3 / 5, 1 / 5), (3 / 5, 1 / 5)]  # (2 + 1) / (3 + 2) that key 0 stays, (0 + 1) / (3 + 2) that key 1 begins
    unigram = [(3 / 5, 1 / 5)] * 2  # key 0 sounds in two of the three frames that follow one
    repeat = [(3 / 5, 1 / 5)] * 2  # of 3 keys that sounded 2 stayed, of 3 that did not none began
    for name, probabilities in (
        ("first-order Markov", markov),
        ("pitch unigram", unigram),
        ("repeat the last step", repeat),
    ):
        (first, second), (third, fourth) = probabilities
        nats = -np.log([first, 1 - second, 1 - third, 1 - fourth]).sum() / 2
        # Key 0 is expected in both frames, and sounds in the first: one hit, one misjudged.
        assert found[name] == {"nats_per_step": pytest.approx(nats), "frame_accuracy": 0.5}


def test_a_probability_of_one_half_expects_nothing() -> None:
    train, held_out = [np.array([[1], [0]], np.uint8)] * 2 + [np.array([[1], [1]], np.uint8)] * 2, rolls(3, keys=1)
    held_out[0][:] = 1
    assert baselines(train, held_out)["first-order Markov"]["frame_accuracy"] == 0


def test_keys_are_counted_apart() -> None:
    """Key 0 stays once of two times, key 1 both times: (1 + 1) / 4 and (2 + 1) / 4."""
    train = [np.array([[1, 0], [1, 1], [0, 1], [1, 1]], np.uint8)]
    found = baselines(train, [np.array([[1, 1], [1, 0]], np.uint8)])["first-order Markov"]
    assert found["nats_per_step"] == pytest.approx(-np.log(2 / 4) - np.log(1 - 3 / 4))
    # Each was silent once, and then began: (1 + 1) / (1 + 2).
    found = baselines(train, [np.array([[0, 0], [1, 0]], np.uint8)])["first-order Markov"]
    assert found["nats_per_step"] == pytest.approx(-np.log(2 / 3) - np.log(1 / 3))


def test_windows_of_one_step_miss_no_frame() -> None:
    def blind(frames: Any, next_frames: Any, states: Any) -> Any:
        return tf.zeros_like(next_frames), next_frames, states

    assert score_frames(blind, lambda rows: [], rolls(4, 2), batch_size=1, window_steps=1).steps == 4


def test_scores_without_counts() -> None:
    assert (FrameScore(1.0, 1).hits, FrameScore(1.0, 1).misjudged) == (0, 0)
    assert FrameScore(1.0, 1, 1).metrics()["frame_accuracy"] == 1


def test_thresholds_are_chosen_on_validation_pieces() -> None:
    """After a sounding key it sounds in 1 of 3 frames: at one half it is never expected, though it pays to."""
    train = [np.array([[1], [1], [0], [0]], np.uint8)] * 4 + [np.array([[1], [0]], np.uint8)] * 4
    held_out = [np.array([[1], [1], [0]], np.uint8)]
    # (4 + 1) / (12 + 2) = 0.36 that it stays
    assert baselines(train, held_out)["first-order Markov"]["frame_accuracy"] == 0
    chosen = baselines(train, held_out, validation=[np.array([[1], [1]], np.uint8)])
    assert chosen["first-order Markov"]["frame_accuracy"] == chosen["repeat the last step"]["frame_accuracy"] == 0.5
    assert best_threshold(lambda threshold: -abs(threshold - 0.31)) == 0.3
    assert best_threshold(lambda threshold: 0.0) == 0.5


def test_scores_add_up_piece_by_piece() -> None:
    """In the order of the pieces, however long they are; one of a single frame has nothing to score."""
    network = frame_network(MusicModelConfig(units=4, dropout=0.0), 5)
    pieces = rolls(9, 70, 3, 40, 1)
    score = frame_scorer(network, pieces)()
    assert score.by_piece[:, 1].tolist() == [8, 69, 2, 39, 0]
    for number, piece in enumerate(pieces[:4]):
        assert score.by_piece[number] == pytest.approx(frame_scorer(network, [piece])().by_piece[0], rel=1e-5)
    for name, own in score_baselines(rolls(200, 100), pieces).items():
        assert own.by_piece[:, 1].tolist() == [8, 69, 2, 39, 0], name
        assert own.by_piece.sum(axis=0) == pytest.approx([own.nats, own.steps])


def test_a_key_has_a_history() -> None:
    """A key that sounds for three steps and is silent for three: what comes next needs three steps, not one."""
    roll = np.tile(np.repeat([[1, 0], [0, 1]], 3, axis=0), (40, 1)).astype(np.uint8)
    found = score_baselines([roll], [roll[:60]], [roll[:60]])
    name = next(reversed(found))
    assert name.startswith("key history of ") and int(name.split()[3]) >= 3
    assert found[name].metrics()["nats_per_step"] < 0.2 < found["first-order Markov"].metrics()["nats_per_step"]
    assert found[name].metrics()["frame_accuracy"] == pytest.approx(1.0, abs=0.06)


def test_history_by_hand() -> None:
    """Key 0 sounds on, key 1 never does; all keys together were heard once after a step of sound, and once sounded."""
    train = [np.array([[0, 0], [1, 0], [1, 0]], np.uint8)]
    counts = _history_counts(train, 2)
    # pasts before the two predicted frames: of key 0 silent, then silent and sound; of key 1 silent both times
    assert counts[1].tolist() == [[1, 1, 0, 0], [0, 0, 0, 0]] and counts[0].tolist() == [[0, 0, 0, 0], [2, 0, 0, 0]]
    table = _history_table(counts, strength=2.0)
    after_silence = (1 + 1) / (3 + 2)
    assert table[0, 0] == pytest.approx((1 + 2 * after_silence) / (1 + 2))
    assert table[1, 0] == pytest.approx((0 + 2 * after_silence) / (2 + 2))
    assert table[1, 1] == pytest.approx(2 / 3)  # its own past never was: that of key 0, (1 + 1) / (1 + 2)
