from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnapps.tasks.speech_recognition.network import ForwardConvolutions, read_frames, symbol_axes, zero_states
from tests.tasks.speech_recognition.small import make_features, make_model, make_network


@pytest.mark.parametrize("strides", [(), (2,), (1, 2), (3, 1, 2)])
def test_convolutions_read_what_they_say(strides: tuple[int, ...]) -> None:
    layer = ForwardConvolutions(strides=strides, units=4, kernel_frames=4)
    frames = np.random.default_rng(0).normal(size=(1, 60, 3)).astype(np.float32)
    whole, valid = layer(tf.constant(frames), tf.constant([60]))
    step, read = int(np.prod(strides)), layer.frames_read
    assert whole.shape[1] == (60 - read) // step + 1 == int(valid.numpy().sum())
    for output in (0, whole.shape[1] - 1):
        part = frames[:, output * step : output * step + read]
        one, _ = layer(tf.constant(part), tf.constant([read]))
        np.testing.assert_allclose(one[0, 0], whole[0, output], atol=1e-5)
    _, short = layer(tf.constant(frames), tf.constant([read + step]))
    assert int(short.numpy().sum()) == 2


def test_the_network_is_its_parts_and_padding_has_no_influence() -> None:
    for bidirectional in (False, True):
        model = make_model(bidirectional=bidirectional)
        features = make_features(model)
        network = make_network(features, model)
        spectra = np.random.default_rng(1).normal(size=(2, 40, 12)).astype(np.float32)
        lengths = tf.constant([40, 25])
        whole = network({"features": tf.constant(spectra), "lengths": lengths}, training=False)
        logits, counts, final = read_frames(network, tf.constant(spectra), lengths, zero_states(network, 2))
        valid = whole["valid"].numpy()
        assert counts.numpy().tolist() == valid.sum(axis=1).tolist() == [16, 9]
        np.testing.assert_allclose(logits.numpy()[valid], whole["logits"].numpy()[valid], atol=1e-5)
        alone, _, last = read_frames(network, tf.constant(spectra[1:, :25]), lengths[1:], zero_states(network, 1))
        np.testing.assert_allclose(alone[0], logits[1, :9], atol=1e-5)
        for one, two in zip(last, final, strict=True):
            np.testing.assert_allclose(one[0], two[1], atol=1e-5)


def test_the_weights_that_symbols_index() -> None:
    features = make_features()
    network = make_network(features)
    shapes = {weight.path: weight.shape for weight in network.weights}
    axes = symbol_axes(network)
    assert set(axes) == {"logits/kernel", "logits/bias"}
    assert all(shapes[path][axis] == features.alphabet.size for path, axis in axes.items())
