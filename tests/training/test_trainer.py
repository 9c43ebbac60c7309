"""One training step against the same maths written out."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU
from rnnapps.config import TrainingConfig
from rnnapps.layers import Recurrent
from rnnapps.training.trainer import TrainingModel
from tests.training import tiny

SGD = TrainingConfig(
    steps=1000, learning_rate=0.5, schedule="constant", warmup_steps=0, optimizer="sgd", clip_norm=0.1, compile="graph"
)


def line(slope: float) -> keras.Model:
    """The network y = slope * x."""
    inputs = keras.Input((1,), name="x")
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(slope), name="slope")
    return keras.Model({"x": inputs}, {"y": dense(inputs)})


def product_loss(outputs: Any, batch: Any) -> Any:
    return tf.reduce_mean(tf.cast(outputs["y"], tf.float32) * batch["targets"])


def batch_of(x: float, target: float = 1.0) -> dict[str, Any]:
    return {"inputs": {"x": tf.constant([[x]])}, "targets": tf.constant([[target]]), "reset": tf.constant(False)}


def spec_of(batch: dict[str, Any]) -> Any:
    return tf.data.Dataset.from_tensors(batch).element_spec


@pytest.mark.parametrize(("x", "clip_norm", "applied"), [(4.0, 0.1, 0.1), (0.05, 0.1, 0.05), (4.0, 0.0, 4.0)])
def test_clipping_by_hand(x: float, clip_norm: float, applied: float) -> None:
    """The gradient is x; Nesterov's first step with momentum m moves by learning rate * (1 + m) * gradient."""
    network = line(2.0)
    config = dataclasses.replace(SGD, clip_norm=clip_norm)
    model = TrainingModel(network, product_loss, config, spec_of(batch_of(x)))
    model.train_step(batch_of(x))
    assert float(network.weights[0][0, 0]) == pytest.approx(2.0 - 0.5 * 1.9 * applied, rel=1e-5)
    assert model.means() == pytest.approx({"loss": 2.0 * x, "gradient_norm": x, "learning_rate": 0.5}, rel=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_step_is_skipped_and_all_later_ones(bad: float) -> None:
    network = line(2.0)
    model = TrainingModel(network, product_loss, SGD, spec_of(batch_of(1.0)))
    model.train_step(batch_of(1.0))
    before = [np.array(variable.numpy()) for variable in [*network.variables, *model.optimizer.variables]]
    model.train_step(batch_of(bad))
    model.train_step(batch_of(1.0))
    after = [variable.numpy() for variable in [*network.variables, *model.optimizer.variables]]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(model.first_bad_step) == 2
    assert int(model.step) == 2
    assert not np.isfinite(float(model.last_loss))


def test_gradient_that_is_not_finite_is_caught_though_the_loss_is() -> None:
    """The square root of |y| at y = 0: finite itself, with an infinite slope."""
    network = line(0.0)
    loss = lambda outputs, batch: tf.reduce_mean(tf.sqrt(outputs["y"] * batch["targets"]))  # noqa: E731
    model = TrainingModel(network, loss, SGD, spec_of(batch_of(1.0)))
    model.train_step(batch_of(1.0))
    assert int(model.first_bad_step) == 1
    assert np.isfinite(float(model.last_loss))
    assert float(network.weights[0][0, 0]) == 0.0


def test_repeated_embedding_rows_count_once_in_the_norm() -> None:
    """Three times the same token: the row's gradient is 3 * (1, 1), its norm sqrt(18), not sqrt(6)."""
    tokens = keras.Input((3,), dtype="int32", name="tokens")
    network = keras.Model({"tokens": tokens}, {"y": keras.layers.Embedding(4, 2, name="embedding")(tokens)})
    batch = {"inputs": {"tokens": tf.constant([[2, 2, 2]])}, "targets": tf.zeros(()), "reset": tf.constant(False)}
    model = TrainingModel(network, lambda outputs, _: tf.reduce_sum(outputs["y"]), SGD, spec_of(batch))
    model.train_step(batch)
    assert model.means()["gradient_norm"] == pytest.approx(np.sqrt(18), rel=1e-6)


def test_state_is_carried_and_reset() -> None:
    """Two windows in a row give the losses of one long sequence; a reset window starts from zeros."""
    network = tiny.build_network(dropout=0.0)
    frozen = dataclasses.replace(tiny.CONFIG, learning_rate=1e-12, compile="graph")
    first, second = list(tiny.batches(5, 1).take(2))
    model = TrainingModel(network, tiny.loss, frozen, tiny.batches(5, 0).element_spec)
    losses = []
    for batch in (first, second, {**second, "reset": tf.constant(True)}):
        model.start_interval()
        model.train_step(batch)
        losses.append(model.means()["loss"])
    zeros = [tf.zeros((tiny.BATCH, tiny.UNITS))]
    long = network({"tokens": tf.concat([first["inputs"]["tokens"], second["inputs"]["tokens"]], 1), "states": zeros})
    halves = tf.split(long["logits"], 2, axis=1)
    fresh = network({**second["inputs"], "states": zeros})
    expected = [
        tiny.loss({"logits": halves[0]}, first),
        tiny.loss({"logits": halves[1]}, second),
        tiny.loss(fresh, second),
    ]
    assert losses == pytest.approx([float(loss) for loss in expected], rel=1e-5)
    assert losses[1] != pytest.approx(losses[2], rel=1e-5)


def test_state_is_not_carried_when_switched_off() -> None:
    network = tiny.build_network(dropout=0.0)
    config = dataclasses.replace(tiny.CONFIG, learning_rate=1e-12, carry_state=False, compile="graph")
    first, second = list(tiny.batches(5, 1).take(2))
    model = TrainingModel(network, tiny.loss, config, tiny.batches(5, 0).element_spec)
    model.train_step(first)
    model.start_interval()
    model.train_step(second)
    fresh = network({**second["inputs"], "states": [tf.zeros((tiny.BATCH, tiny.UNITS))]})
    assert model.means()["loss"] == pytest.approx(float(tiny.loss(fresh, second)), rel=1e-5)


def test_xla_and_graph_agree() -> None:
    losses = {}
    for mode in ("xla", "graph"):
        network = tiny.build_network(dropout=0.0)
        config = dataclasses.replace(tiny.CONFIG, compile=mode)
        model = TrainingModel(network, tiny.loss, config, tiny.batches(5, 0).element_spec)
        assert model.jit_compile is (mode == "xla")
        model.fit(tiny.batches(5, 0), steps_per_epoch=10, verbose=0, shuffle=False)
        losses[mode] = model.means()["loss"]
    assert losses["xla"] == pytest.approx(losses["graph"], rel=1e-5)


def test_float16_overflow_halves_the_scale_and_training_goes_on() -> None:
    """A gradient of 16 times the first scale, 2^15, overflows float16 (65504) until the scale is 2^11."""
    inputs = keras.Input((1,), name="x")
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", dtype="mixed_float16", name="slope")
    network = keras.Model({"x": inputs}, {"y": dense(inputs)})
    config = dataclasses.replace(SGD, precision="mixed_float16")
    model = TrainingModel(network, product_loss, config, spec_of(batch_of(16.0)))
    scales = []
    for _ in range(6):
        model.train_step(batch_of(16.0))
        scales.append(float(model.loss_scale))
    assert scales == [2.0**14, 2.0**13, 2.0**12, 2.0**11, 2.0**11, 2.0**11]
    assert int(model.first_bad_step) == 0
    assert int(model.optimizer.iterations) == 2
    assert model.means()["gradient_norm"] == pytest.approx(16.0)


def test_auto_compiles_numbers_only() -> None:
    network = line(1.0)
    auto = dataclasses.replace(SGD, compile="auto")
    numbers = {
        "inputs": {"x": tf.TensorSpec((2, 1))},
        "targets": tf.TensorSpec((2, 1)),
        "reset": tf.TensorSpec((), bool),
    }
    assert TrainingModel(network, product_loss, auto, numbers).jit_compile is True
    text = {**numbers, "targets": tf.TensorSpec((2, 1), tf.string)}
    assert TrainingModel(network, product_loss, auto, text).jit_compile is False


@pytest.mark.parametrize("mode", ["xla", "graph"])
def test_one_program_for_each_width(mode: str) -> None:
    """Windows of two widths train as the same windows do one at a time, and each width is traced once."""
    traced: list[Any] = []

    def watched_loss(outputs: Any, batch: Any) -> Any:
        traced.append(batch["targets"].shape)
        return tiny.loss(outputs, batch)

    batches = [
        {**batch, "inputs": {"tokens": batch["inputs"]["tokens"][:, :width]}, "targets": batch["targets"][:, :width]}
        for batch, width in zip(tiny.batches(5, 0).take(6), (6, 3, 3, 6, 3, 6), strict=True)
    ]
    wide = tf.TensorSpec((tiny.BATCH, None), tf.int32)
    spec = {"inputs": {"tokens": wide}, "targets": wide, "reset": tf.TensorSpec((), tf.bool)}
    stream = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=spec)
    config = dataclasses.replace(tiny.CONFIG, compile=mode)
    bucketed = TrainingModel(tiny.build_network(dropout=0.0), watched_loss, config, stream.element_spec)
    bucketed.fit(stream, steps_per_epoch=6, verbose=0, shuffle=False)
    assert sorted(shape.as_list() for shape in traced) == [[tiny.BATCH, 3], [tiny.BATCH, 6]]
    single = TrainingModel(tiny.build_network(dropout=0.0), tiny.loss, config, spec_of(batches[0]))
    for batch in batches:
        single.train_step(batch)
    assert bucketed.means() == pytest.approx(single.means(), rel=1e-5)


def test_auto_leaves_large_batches_to_the_loops_of_their_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    auto = dataclasses.replace(SGD, compile="auto")
    inputs = keras.Input((3, 2), name="x")
    network = keras.Model({"x": inputs}, {"y": Recurrent(GRU(2))(inputs)})
    for rows, whole in ((16, True), (32, False)):
        spec = {"inputs": {"x": tf.TensorSpec((rows, 3, 2))}, "targets": tf.TensorSpec((rows, 2))}
        batch = {**spec, "reset": tf.TensorSpec((), tf.bool)}
        assert TrainingModel(network, product_loss, auto, batch).jit_compile is whole
    assert TrainingModel(line(1.0), product_loss, auto, {**batch, "inputs": {"x": tf.TensorSpec((32, 1))}}).jit_compile
