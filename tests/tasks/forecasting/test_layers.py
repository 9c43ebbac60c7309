"""Normalisation is undone exactly, quantiles are those of SciPy, and the decoder walks as a plain loop does."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from rnnapps.cells import make_cell
from rnnapps.errors import ConfigError
from rnnapps.kernels.random_mask import random_mask
from rnnapps.tasks.forecasting.layers.autoregressive_decoder import AutoregressiveDecoder
from rnnapps.tasks.forecasting.layers.channel_folding import ChannelVector, FoldChannels, Segments, UnfoldChannels
from rnnapps.tasks.forecasting.layers.forecast_distribution import (
    ConformalShift,
    ForecastDistribution,
    negative_binomial_quantile,
    student_quantile,
)
from rnnapps.tasks.forecasting.layers.window_normalization import WindowNormalization

VALUES = np.array([[[1.0, 10], [3, 0], [5, 30]]], np.float32)
PRESENT = np.array([[[1.0, 1], [1, 0], [1, 1]]], np.float32)


def test_instance_normalisation_by_hand() -> None:
    normal, centre, spread = WindowNormalization("instance", floor=0.0)(VALUES, PRESENT)
    np.testing.assert_allclose(centre[0, 0], [3, 20], rtol=1e-6)
    np.testing.assert_allclose(spread[0, 0], [np.std([1, 3, 5]), 10], rtol=1e-6)
    np.testing.assert_allclose(normal[0, :, 1], [-1, 0, 1], rtol=1e-6)


@pytest.mark.parametrize("mode", ["instance", "none"])
def test_normalisation_is_undone(mode: str) -> None:
    layer = WindowNormalization(mode)
    layer(VALUES, PRESENT)
    for weight, value in zip(layer.weights, ([0.3, -0.2], [0.5, 2.0]), strict=False):
        weight.assign(value)
    normal, centre, spread = layer(VALUES, PRESENT)
    np.testing.assert_allclose((centre + spread * normal) * PRESENT, VALUES, atol=1e-5)


def test_differences_go_on_from_the_last_present_value() -> None:
    present = np.array([[[1.0, 1], [1, 0], [0, 1]]], np.float32)
    changes, last, _ = WindowNormalization("difference", floor=1e-12)(VALUES * present, present)
    np.testing.assert_allclose(last[0, 0], [3, 30])
    np.testing.assert_allclose(changes[0, :, 0], [0, 1, 0], rtol=1e-6)
    np.testing.assert_array_equal(changes[0, :, 1], [0, 0, 0])


def test_a_shift_and_a_scale_of_the_window_shift_and_scale_the_forecast() -> None:
    layer = WindowNormalization("instance", floor=1e-12)
    first, second = (layer(values, np.ones_like(values)) for values in (VALUES, 7 * VALUES - 100))
    np.testing.assert_allclose(first[0], second[0], atol=1e-4)
    np.testing.assert_allclose(7 * first[1] - 100, second[1], rtol=1e-5)
    np.testing.assert_allclose(7 * first[2], second[2], rtol=1e-4)


def test_unknown_mode() -> None:
    with pytest.raises(ConfigError, match="expected one of instance, difference, none"):
        WindowNormalization("batch")


def test_folding_is_undone() -> None:
    windows = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    folded = FoldChannels()(windows)
    np.testing.assert_array_equal(folded[1], windows[0, :, 1])
    np.testing.assert_array_equal(UnfoldChannels(4)(folded), windows)
    np.testing.assert_array_equal(Segments(3)(folded)[2, 0], windows[0, :, 2].reshape(-1))
    vectors = ChannelVector(4)
    vectors(folded)
    vectors.vectors.assign(np.arange(20.0).reshape(4, 5))
    np.testing.assert_array_equal(vectors(folded)[5], windows[1, :, 1] + np.arange(5.0, 10.0))


@pytest.mark.parametrize("freedom", [2.0, 2.3, 3.0, 5.5, 30.0, 1000.0])
def test_student_quantiles(freedom: float) -> None:
    levels = (0.05, 0.1, 0.5, 0.9, 0.975)
    found = student_quantile(tf.constant([freedom]), levels)[0]
    np.testing.assert_allclose(found, stats.t.ppf(levels, freedom), rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(("mean", "dispersion"), [(0.3, 0.5), (4.0, 0.1), (60.0, 2.0), (1000.0, 0.01)])
def test_negative_binomial_quantiles(mean: float, dispersion: float) -> None:
    levels = (0.1, 0.5, 0.9)
    found = negative_binomial_quantile(tf.constant([mean]), tf.constant([dispersion]), levels)[0].numpy()
    size = 1 / dispersion
    expected = stats.nbinom.ppf(levels, size, size / (size + mean))
    np.testing.assert_allclose(found, expected, atol=1 if mean >= 1000 else 0)


def test_gaussian_quantiles() -> None:
    layer = ForecastDistribution("gaussian", (0.1, 0.5, 0.9))
    found = layer(tf.constant([[[[0.5, 1.0]]]]), tf.constant([[[10.0]]]), tf.constant([[[2.0]]]))
    deviation = 2 * (np.log1p(np.e) + 1e-4)
    np.testing.assert_allclose(found["quantiles"][0, 0, 0], stats.norm.ppf((0.1, 0.5, 0.9), 11, deviation), rtol=1e-5)


def test_learned_quantiles_are_sorted_in_use_and_move_the_mean_by_nothing() -> None:
    layer = ForecastDistribution("quantiles", (0.1, 0.9))
    numbers = tf.Variable([[[[1.0, 3.0, -2.0]]]])
    one = tf.ones((1, 1, 1))
    np.testing.assert_allclose(layer(numbers, 0 * one, one)["quantiles"][0, 0, 0], [-1, 4])
    with tf.GradientTape() as tape:
        outputs = layer(numbers, 0 * one, one, training=True)["quantiles"]
    assert outputs[0, 0, 0].numpy().tolist() == [4, -1]
    assert tape.gradient(outputs, numbers)[0, 0, 0].numpy().tolist() == [0, 1, 1]


def test_the_shift_counts_in_use_only() -> None:
    layer = ConformalShift(least=0.0)
    quantiles, spread = tf.constant([[[[1.0, 2.0]]]]), tf.constant([[[2.0]]])
    layer(quantiles, spread)
    layer.shift.assign([[[-1.0, 3.0]]])
    assert layer(quantiles, spread)[0, 0, 0].numpy().tolist() == [0, 8]
    assert layer(quantiles, spread, training=True)[0, 0, 0].numpy().tolist() == [1, 2]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_decoder_walks_as_a_plain_loop_does(cell: str) -> None:
    decoder = AutoregressiveDecoder([make_cell(cell, 4, name="cell")], steps=3, outputs=4, fed_back=[0, 2])
    draw = np.random.default_rng(0)
    first, known = draw.normal(size=(2, 2)).astype(np.float32), draw.normal(size=(2, 3, 5)).astype(np.float32)
    states = [tf.zeros((2, size)) + 0.1 for size in decoder.cells[0].state_size]
    found = decoder(first, states, known)
    value, after = tf.constant(first), states
    for step in range(3):
        hidden, after = decoder.cells[0](decoder.reader(tf.concat([value, known[:, step]], 1)), after)
        output = decoder.writer(hidden)
        value = tf.gather(output, [0, 2], axis=1)
        np.testing.assert_allclose(found[:, step], output, rtol=1e-5, atol=1e-6)
    in_graph = tf.function(decoder, jit_compile=True)(tf.constant(first), states, tf.constant(known))
    np.testing.assert_allclose(found, in_graph, rtol=1e-4, atol=1e-5)


def test_the_decoder_drops_the_same_weights_at_all_steps() -> None:
    options = {"steps": 3, "outputs": 4, "fed_back": [0, 2]}
    decoder = AutoregressiveDecoder([make_cell("gru", 4, name="cell")], weight_drop=0.5, **options)
    plain = AutoregressiveDecoder([make_cell("gru", 4, name="cell")], **options)
    first, states = np.random.default_rng(0).normal(size=(2, 2)).astype(np.float32), [tf.zeros((2, 4)) + 0.1]
    for each in (decoder, plain):
        each(first, states)
    plain.set_weights(decoder.get_weights())
    np.testing.assert_array_equal(decoder(first, states), plain(first, states))
    twin = keras.random.SeedGenerator(0)
    twin.state.assign(decoder.seed_generator.state)
    kernel = plain.cells[0].recurrent_kernel
    kernel.assign(kernel * np.asarray(random_mask(kernel.shape, 0.5, twin.next())) / 0.5)
    np.testing.assert_allclose(decoder(first, states, training=True), plain(first, states), rtol=1e-5, atol=1e-6)
    assert AutoregressiveDecoder.from_config(decoder.get_config()).weight_drop == 0.5
