from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.decoding.distribution import Rules
from rnnapps.tasks.music_generation import key_drawing
from rnnapps.tasks.music_generation.data.piece import Piece
from rnnapps.tasks.music_generation.endpoints import music_endpoints
from rnnapps.tasks.music_generation.export_config import MusicExportConfig
from rnnapps.tasks.music_generation.frame_network import frame_network
from rnnapps.tasks.music_generation.generation import Sampling, stream_changes, write_pieces
from rnnapps.tasks.music_generation.key_distribution import KeyDistribution
from rnnapps.tasks.music_generation.key_drawing import draw_frame, expected_frame
from rnnapps.tasks.music_generation.model_config import MusicModelConfig
from rnnapps.tasks.music_generation.preprocessing.music_grid import MusicGrid
from tests.tasks.music_generation.key_layers import FRAMES, KEYS, layer

COUNT = 20_000
UNITS = np.eye(KEYS + 1)[:, :KEYS]
BEFORE = np.array([0, 0, 1, 0], np.float32)
SPARSE = 0.03
GRID = MusicGrid("frames", 2)
PRIMER = Piece(np.array([[0, 4, 48, 80], [0, 2, 60, 80], [2, 4, 64, 80]], np.int32))


class Subject(NamedTuple):
    """A distribution over frames, and rules."""

    distribution: KeyDistribution
    context: Any
    temperature: float = 1.0
    top_p: float = 1.0

    def on(self, frame: Any) -> Any:
        """The probability of each key, given those of a frame below it."""
        logits = self.distribution(self.context, tf.constant(frame[None], tf.float32)).numpy()[0]
        return 1 / (1 + np.exp(-logits.astype(np.float64)))

    def tempered(self, chances: dict[int, float]) -> dict[int, float]:
        """How often each of the keys is chosen."""
        powers = {key: chance ** (1 / self.temperature) for key, chance in chances.items() if chance > 1e-9}
        kept: dict[int, float] = {}
        for key in sorted(powers, key=lambda key: -powers[key]):
            if sum(kept.values()) < (self.top_p - 1e-9) * sum(powers.values()):
                kept[key] = powers[key]
        return {key: power / sum(kept.values()) for key, power in kept.items()}


def leaves(subject: Subject, frame: Any, begin: int = 0, left: str = "open") -> Iterator[tuple[int, float]]:
    """(frame as a number, probability) of all ways on from the keys below `begin`, one decision after the other."""
    if begin == KEYS:
        yield int(frame @ [8, 4, 2, 1]), 1.0
        return
    probability = subject.on(frame)
    held = next((key for key in range(begin, KEYS) if BEFORE[key]), KEYS)
    between = list(range(begin, held)) if left != "none" else []
    first = {key: probability[key] * np.prod(1 - probability[begin:key]) for key in between}
    then_none = {key: np.prod(1 - subject.on(frame + UNITS[key])[key + 1 : held]) for key in between}
    chances = {
        "none": {key: first[key] * then_none[key] for key in between},
        "several": {key: first[key] * (1 - then_none[key]) for key in between},
    }
    some = sum(first.values())
    scale = 1 / some if left == "several" else 1.0
    for follows, by_key in chances.items():
        for key, share in subject.tempered(by_key).items():
            mass = sum(by_key.values()) * scale * share
            for number, rest in leaves(subject, frame + UNITS[key], key + 1, follows):
                yield number, mass * rest
    silent = 0.0 if left == "several" else 1 - some
    for value in (0, 1) if held < KEYS else (0,):
        share = silent * (1.0 if held == KEYS else probability[held] if value else 1 - probability[held])
        for number, rest in leaves(subject, frame + value * UNITS[held], min(held + 1, KEYS)):
            yield number, share * rest


def shares(distribution: KeyDistribution, context: Any, temperature: float, top_p: float) -> Any:
    """How often each frame is drawn."""
    numbers = tf.constant(np.random.default_rng(1).uniform(size=(COUNT, KEYS)), tf.float32)
    rules = Rules(tf.fill([COUNT], temperature), tf.zeros([COUNT], tf.int64), top_p=tf.fill([COUNT], top_p))
    drawn = draw_frame(
        distribution.given(tf.repeat(context, COUNT, 0)), numbers, rules, tf.tile(BEFORE[None], [COUNT, 1])
    )
    return np.bincount((drawn.numpy() @ [8, 4, 2, 1]).astype(int), minlength=16) / COUNT


@pytest.mark.parametrize("hidden_units", [0, 6])
def test_frames_come_as_often_as_they_are_likely(hidden_units: int) -> None:
    distribution, context = layer(hidden_units)
    probability = 1 / (1 + np.exp(-distribution(tf.repeat(context, 16, 0), FRAMES).numpy().astype(np.float64)))
    joint = np.prod(np.where(FRAMES > 0, probability, 1 - probability), axis=1)
    np.testing.assert_allclose(shares(distribution, context, 1.0, 1.0), joint, atol=0.015)


@pytest.mark.parametrize("hidden_units", [0, 6])
@pytest.mark.parametrize(("temperature", "top_p"), [(0.5, 1.0), (1.0, 0.6), (2.0, 0.9)])
def test_temperature_and_top_p_choose_among_struck_keys(temperature: float, top_p: float, hidden_units: int) -> None:
    distribution, context = layer(hidden_units)
    expected = np.zeros(16)
    for number, share in leaves(Subject(distribution, context, temperature, top_p), np.zeros(KEYS)):
        expected[number] += share
    assert expected.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares(distribution, context, temperature, top_p), expected, atol=0.015)


def _others_of_every_key(given: Any, _: Any) -> Any:
    """What `_others_silent` returns, from the logits of whole frames with each key, whether it may be struck or not.

    It stands for the definition: nothing is left out, and unknown keys have no chance instead of no place.
    """
    keys = given.among.shape[1]
    assert given.lowest == 0
    each = given.terms.base[:, None] + tf.zeros([1, keys, 1])
    if given.terms.hidden is not None:
        more = {"base": each + given.terms.below, "hidden": given.terms.hidden[:, None] + given.terms.read}
        each = given.terms._replace(**more).logits()
    chances = tf.nn.softplus(each) * tf.cast(given.among[:, None], tf.float32)
    return tf.reduce_sum(tf.linalg.band_part(chances, 0, -1) - tf.linalg.band_part(chances, 0, 0), axis=2)


@pytest.mark.parametrize("hidden_units", [0, 20])
def test_few_candidates_draw_the_same_frames_as_every_key(hidden_units: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, rows, generator = 24, 300, np.random.default_rng(3)
    distribution = KeyDistribution(keys, hidden_units=hidden_units)
    distribution(tf.zeros((1, 3)), tf.zeros((1, keys)))
    for weight in distribution.weights:
        weight.assign(generator.normal(size=weight.shape) * 0.7)
    distribution.bias.assign_sub(tf.fill([keys], 2.0))
    terms = distribution.given(tf.constant(generator.normal(size=(rows, 3)), tf.float32))
    numbers, before = generator.uniform(size=(rows, keys)), generator.uniform(size=(rows, keys)) < 0.15
    temperature, top_p = np.array([[0.0, 0.5, 1.0, 2.0], [1.0, 0.9, 0.6, 1.0]])[:, generator.integers(0, 4, rows)]
    rules = Rules(tf.constant(temperature, tf.float32), tf.zeros(rows, tf.int64), top_p=tf.constant(top_p, tf.float32))
    given = (tf.constant(numbers, tf.float32), rules, tf.constant(before, tf.float32))
    known = (np.arange(keys) > 3) & (np.arange(keys) < 20)
    drawn = draw_frame(terms, *given, known=known)
    monkeypatch.setattr(key_drawing, "_others_silent", _others_of_every_key)
    monkeypatch.setattr(key_drawing, "_likely_first", lambda given, _: given.among)
    unlikely = terms._replace(base=tf.where(known | before, terms.base, -1e4))
    np.testing.assert_array_equal(drawn, draw_frame(unlikely, *given))
    assert drawn.numpy()[:, known].any(axis=0).all() and not drawn.numpy()[:, ~known][~before[:, ~known]].any()


@pytest.mark.parametrize("hidden_units", [0, 6])
def test_rows_as_learned_ask_for_no_second_key_and_are_the_same_beside_others(
    hidden_units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution, context = layer(hidden_units)
    numbers = tf.constant(np.random.default_rng(2).uniform(size=(64, KEYS)), tf.float32)
    terms, before = distribution.given(tf.repeat(context, 64, 0)), tf.tile(BEFORE[None], [64, 1])
    learned = np.arange(64) % 2 == 0
    mixed = Rules(tf.constant(np.where(learned, 1.0, 0.5), tf.float32), tf.zeros(64, tf.int64), top_p=tf.ones(64))
    together = draw_frame(terms, numbers, mixed, before).numpy()
    monkeypatch.delattr(key_drawing, "_others_silent")
    alone = draw_frame(terms, numbers, mixed._replace(temperature=tf.ones(64)), before).numpy()
    np.testing.assert_array_equal(together[learned], alone[learned])
    assert (together != alone).any()


def test_temperature_0_takes_the_likeliest() -> None:
    distribution, context = layer(0)
    distribution.kernel.assign(tf.zeros((3, KEYS)))
    distribution.bias.assign(np.log([0.3 / 0.7, 0.4 / 0.6, 0.45 / 0.55, 0.2 / 0.8]))
    rules = Rules(tf.zeros(2), tf.zeros(2, tf.int64), top_p=tf.ones(2))
    before = tf.constant([[0.0, 0, 0, 0], [0, 0, 1, 0]])
    drawn = draw_frame(distribution.given(tf.repeat(context, 2, 0)), tf.zeros((2, KEYS)), rules, before)
    # Nothing held: some key is struck with 0.82, only one with 0.40. As the first of several, key 0 is the likeliest
    # with 0.3 * 0.74. Above it one is struck with 0.74, only one with 0.46: key 2 has the highest odds.
    # With key 2 held, 0 or 1 is struck with 0.58, only one with 0.46: key 1. Then 2 is let go, with 0.55.
    np.testing.assert_array_equal(drawn, [[1, 0, 1, 0], [0, 1, 0, 0]])


def test_expected_keys_are_those_above_the_threshold_given_the_expected_ones_below() -> None:
    distribution, context = layer(6)
    for threshold in (0.2, 0.5, 0.8):
        frame = np.zeros(KEYS, np.float32)
        for key in range(KEYS):
            frame[key] = Subject(distribution, context).on(frame)[key] > threshold
        found = expected_frame(distribution.given(context), tf.constant(threshold, tf.float32))
        np.testing.assert_array_equal(found[0], frame)


@pytest.fixture(scope="module")
def sparse() -> keras.Model:
    """A network that strikes any key with a probability of 0.03, whatever came before: 2.6 keys a frame."""
    network = frame_network(MusicModelConfig(units=4, dropout=0.0), 88, hidden_units=4)
    for weight in network.get_layer("keys").weights:
        weight.assign(tf.zeros(weight.shape))
    network.get_layer("keys").bias.assign(tf.fill([88], float(np.log(SPARSE / (1 - SPARSE)))))
    return network


@pytest.mark.parametrize(("temperature", "top_p"), [(0.9, 0.9), (0.3, 0.5)])
def test_what_is_rare_key_by_key_does_not_fall_silent(temperature: float, top_p: float, sparse: keras.Model) -> None:
    sampling = Sampling(steps=64, samples=2, temperature=temperature, top_p=top_p, seed=1)
    for piece in write_pieces(sparse, GRID, PRIMER, sampling):
        frames = GRID.frames(piece)[PRIMER.steps :]
        assert 0.75 < (frames.sum(axis=1) > 0).mean() < 1  # expected: 1 - 0.97^88 = 0.93
        assert 1.9 < frames.sum() / sampling.steps < 3.4  # expected: 2.64
        assert frames[-16:].any()


def test_keys_beyond_the_training_pieces_are_held_but_not_struck(sparse: keras.Model) -> None:
    grid = GRID.within([PRIMER], transpose=2)
    assert (grid.lowest_key, grid.highest_key) == (46, 66) and grid.known.sum() == 21
    assert grid.joined(MusicGrid("frames", 2, lowest_key=60, highest_key=70)).known.sum() == 25
    high = Piece(np.array([[0, 4, 100, 80]], np.int32))
    bias = sparse.get_layer("keys").bias
    learned = bias.numpy()
    bias.assign(tf.fill([88], 30.0))
    written = GRID.frames(write_pieces(sparse, grid, high, Sampling(steps=3, seed=1))[0])[high.steps :]
    bias.assign(learned)
    np.testing.assert_array_equal(np.flatnonzero(written.all(axis=0)), [*np.flatnonzero(grid.known), 100 - 21])
    assert written.sum() == 3 * 22


def test_all_ways_to_write_draw_the_same(sparse: keras.Model) -> None:
    sampling = Sampling(steps=9, temperature=0.7, top_p=0.8, seed=5)
    start = GRID.frames(PRIMER)
    written = GRID.frames(write_pieces(sparse, GRID, PRIMER, sampling)[0])[len(start) :]
    endpoints = music_endpoints(sparse, GRID, MusicExportConfig())
    rules = {"temperature": tf.constant([0.7]), "top_p": tf.constant([0.8]), "seed": tf.constant([5], tf.int64)}
    primer = {"frames": tf.constant(start[None], tf.int32), "lengths": tf.constant([len(start)])}
    served = endpoints["continuation"].function(**primer, steps=tf.constant([9]), **rules)["written_frames"][0]
    np.testing.assert_array_equal(served[: len(written)], written)
    states, chunk = {"state_0": tf.zeros((1, 4))}, tf.concat([tf.zeros((1, 1, 88), tf.int32), primer["frames"]], 1)
    for position, expected in enumerate(served.numpy()):
        length = tf.constant([chunk.shape[1]])
        given = {"frames": chunk, "lengths": length, "position": tf.constant([position])}
        answer = endpoints["step"].function(**given, **rules, **states)
        np.testing.assert_array_equal(answer["next_frame"][0], expected)
        chunk, states = answer["next_frame"][:, None], {"state_0": answer["next_state_0"]}
    struck = [(change.beat * 2, change.note_on) for change in stream_changes(sparse, GRID, PRIMER, sampling)]
    before = np.concatenate([start[-1:], served[:-1]])
    rises = [
        tuple((np.flatnonzero(now > last) + 21).tolist()) for last, now in zip(before, served.numpy(), strict=True)
    ]
    assert [(step, keys) for step, keys in struck if keys] == [(step, keys) for step, keys in enumerate(rises) if keys]
