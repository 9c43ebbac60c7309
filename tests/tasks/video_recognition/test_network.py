from __future__ import annotations

import re
import urllib.error
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.errors import ConfigError
from rnnapps.tasks.video_recognition.data.config import VideoDataConfig
from rnnapps.tasks.video_recognition.layers.frame_encoder import encode, load_encoder_weights, pretrained_encoder
from rnnapps.tasks.video_recognition.layers.frame_streams import FrameDifferences
from rnnapps.tasks.video_recognition.layers.video_network import VideoStep, zero_video_states
from rnnapps.tasks.video_recognition.model import build_network
from rnnapps.tasks.video_recognition.model_config import VideoModelConfig
from rnnapps.tasks.video_recognition.video_format import VideoFormat

SEEN = VideoFormat.of(VideoDataConfig(size=16), ("a", "b", "c"))
SMALL = {"units": 6, "filters": (3, 4), "frame_units": 5, "attention_units": 4}


def network(**settings: object):
    found = build_network(VideoModelConfig(**{**SMALL, **settings}), settings.get("seen", SEEN))
    draw = np.random.default_rng(0)
    for weight in found.weights:  # moving variances too: as after training
        weight.assign(
            np.abs(draw.normal(0.3, 0.3, weight.shape))
            if "variance" in weight.path
            else draw.normal(0, 0.4, weight.shape)
        )
    return found


def frames(rows: int = 3, time: int = 7) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (rows, time, 16, 16, 1)).astype(np.uint8)


def logits(found, pictures: np.ndarray, lengths: list[int]) -> np.ndarray:
    return found({"frames": pictures, "lengths": np.array(lengths, np.int32)}, training=False)["logits"].numpy()


def test_differences_by_hand() -> None:
    layer, pictures = FrameDifferences((1, 3)), frames(1, 5)
    found = layer(pictures).numpy()[0]
    plain = pictures[0].astype(float) * 4 / 255
    for time in range(5):
        for channel, lag in enumerate((1, 3)):
            expected = plain[time] - plain[time - lag] if time >= lag else np.zeros((16, 16, 1))
            np.testing.assert_allclose(found[time, ..., channel : channel + 1], expected, atol=1e-5)
    assert layer(pictures[:, :2]).shape == (1, 2, 16, 16, 2)  # fewer frames than the longest lag


def test_normalizations_drawn_into_convolutions_change_nothing() -> None:
    encoder = network().get_layer("both_encoder").model
    pixels = tf.constant(np.random.default_rng(2).normal(size=(7, *encoder.input.shape[1:])), tf.float32)
    np.testing.assert_allclose(encode(encoder, pixels), encoder(pixels, training=False), rtol=1e-4, atol=1e-5)
    graph = tf.function(lambda given: encode(encoder, given)).get_concrete_function(pixels).graph
    for operation in graph.get_operations():
        if operation.type in ("Mul", "AddV2", "Sub") and operation.outputs[0].shape.rank == 4:
            assert operation.outputs[0].shape[0] != 7, operation.name  # of kernels only, not of pictures


@pytest.mark.parametrize(("cell", "inputs"), [("gru", "both"), ("lstm", "frames"), ("min_gru", "differences")])
def test_any_chunks_of_frames_give_the_answer_to_every_beginning(cell: str, inputs: str) -> None:
    """Each row in chunks of its own; behind their ends lie the frames of the next ones, and some are empty."""
    found, pictures = network(cell=cell, inputs=inputs, layers=2), frames()
    expected = np.stack([logits(found, pictures[:, : time + 1], [time + 1] * 3) for time in range(7)], axis=1)
    step = VideoStep(found)
    states, starts = zero_video_states(step, 3), np.zeros(3, int)
    for lengths in ([1, 0, 2], [1, 3, 0], [0, 1, 1], [4, 0, 4], [1, 3, 0]):
        chunk = np.stack([np.take(pictures[row], starts[row] + np.arange(4), axis=0, mode="clip") for row in range(3)])
        answer, states = step(tf.constant(chunk), tf.constant(lengths), states)
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            np.testing.assert_allclose(answer[row, :length], expected[row, start : start + length], atol=2e-5)
        starts += lengths
    assert starts.tolist() == states["seen"].numpy().tolist() == [7, 7, 7]
    assert {name: tuple(value.shape[1:]) for name, value in states.items()} == {
        name: tuple(spec.shape[1:]) for name, spec in step.state_specs().items()
    }


@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_lies_behind_the_end_and_in_other_rows_says_nothing(bidirectional: bool) -> None:
    found, pictures = network(bidirectional=bidirectional), frames()
    whole = logits(found, pictures, [7, 4, 2])
    changed = pictures.copy()
    changed[1, 4:], changed[2, 2:] = 255, 0
    np.testing.assert_allclose(logits(found, changed, [7, 4, 2]), whole, atol=1e-6)
    np.testing.assert_allclose(logits(found, pictures[1:2, :4], [4]), whole[1:2], atol=1e-5)


def test_an_encoder_of_keras_takes_local_weights_and_can_be_frozen(tmp_path: Path) -> None:
    seen = VideoFormat.of(VideoDataConfig(size=32), ("a", "b"))
    random = build_network(VideoModelConfig(**SMALL, encoder="mobilenet_v3_small", inputs="frames"), seen)
    inner = random.get_layer("frames_encoder").model.get_layer("mobilenet_v3_small")
    inner.save_weights(tmp_path / "known.weights.h5")
    settings = {"encoder": "mobilenet_v3_small", "inputs": "both", "freeze_encoder": True}
    frozen = build_network(
        VideoModelConfig(**SMALL, **settings, encoder_weights=str(tmp_path / "known.weights.h5")), seen
    )
    taken = frozen.get_layer("frames_encoder").model.get_layer("mobilenet_v3_small")
    for one, other in zip(inner.get_weights(), taken.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    trained = {id(weight) for weight in frozen.trainable_weights}
    assert trained.isdisjoint(id(weight) for weight in taken.weights)
    assert any(id(weight) in trained for weight in frozen.get_layer("differences_encoder").model.weights)
    pictures = np.random.default_rng(1).integers(0, 255, (2, 3, 32, 32, 1)).astype(np.uint8)
    step = VideoStep(frozen)
    answer, _ = step(tf.constant(pictures), tf.constant([3, 3]), zero_video_states(step, 2))
    np.testing.assert_allclose(answer[:, 2], logits(frozen, pictures, [3, 3]), atol=1e-4)
    with pytest.raises(ConfigError, match=r"none\.h5 does not exist"):
        build_network(VideoModelConfig(**SMALL, **settings, encoder_weights=str(tmp_path / "none.h5")), seen)
    (tmp_path / "bad.weights.h5").write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="cannot be loaded into mobilenet_v3_small"):
        build_network(VideoModelConfig(**SMALL, **settings, encoder_weights=str(tmp_path / "bad.weights.h5")), seen)


def test_imagenet_weights_without_a_network_and_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group
    from keras.src.utils import file_utils

    def unreachable(*_: object) -> None:
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr(file_utils, "urlretrieve", unreachable)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))  # where a download would lie
    encoder = pretrained_encoder("mobilenet_v3_small", 32, 1, frozen=False)
    with pytest.raises(ConfigError) as raised:
        load_encoder_weights(encoder, "mobilenet_v3_small", "imagenet")
    complaint = str(raised.value)
    assert "\n" not in complaint and "Name or service not known; fetch that file elsewhere and name it" in complaint
    (address,) = re.findall(r"https://\S+\.h5", complaint)
    inner = encoder.get_layer("mobilenet_v3_small")
    expected = [np.full_like(weight, number) for number, weight in enumerate(inner.get_weights())]
    inner.set_weights(expected)
    with h5py.File(tmp_path / Path(address).name, "w") as file:  # the format of the files at that address
        save_weights_to_hdf5_group(file, inner)
    other = pretrained_encoder("mobilenet_v3_small", 32, 1, frozen=False)
    load_encoder_weights(other, "mobilenet_v3_small", str(tmp_path / Path(address).name))
    for one, taken in zip(expected, other.get_layer("mobilenet_v3_small").get_weights(), strict=True):
        np.testing.assert_array_equal(one, taken)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"filters": ()}, "model.filters must be one number"),
        ({"difference_lags": (0,)}, "model.difference_lags must be"),
        ({"encoder": "resnet"}, "model.encoder must be one of small"),
        ({"freeze_encoder": True}, "need model.encoder other than small"),
        ({"encoder": "mobilenet_v2", "inputs": "differences"}, "reads frames; set model.inputs"),
    ],
)
def test_bad_settings_are_one_line(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        VideoModelConfig(**settings)
