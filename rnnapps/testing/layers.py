"""Properties of a cell inside of layers: stock Keras, mixed precision, files and exports."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from rnnapps.cells import Cell
from rnnapps.layers import Recurrent
from rnnapps.testing.subject import Subject
from rnnapps.types import Tensor

__all__ = ["check_export", "check_file", "check_mixed_precision", "check_stock_layer"]


def check_stock_layer(subject: Subject) -> None:
    """`Recurrent` and a stock `keras.layers.RNN` give the same outputs, states and gradients."""
    if subject.cell.takes_constants:  # which that layer does not hand on
        return
    problem = subject.problem(time=6)
    inputs, mask = tf.constant(problem.inputs), np.arange(6) < np.array([[6], [4], [1], [5]])
    runs: list[dict[str, Tensor]] = []
    for layer in (
        Recurrent(subject.fresh(), return_sequences=True, return_state=True),
        keras.layers.RNN(subject.fresh(), return_sequences=True, return_state=True),
    ):
        layer.build(inputs.shape)
        subject.copy_weights(layer.cell)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs, *states = layer(inputs, mask=mask)
            valid = outputs * mask[..., None]
        gradients = tape.gradient(
            [valid, *states],
            [inputs, *(w.value for w in layer.cell.trainable_variables)],
            output_gradients=[problem.d_outputs, *problem.d_final],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        named = {f"gradient {n}": gradient for n, gradient in enumerate(gradients)}
        named |= {f"final state {n}": state for n, state in enumerate(tf.nest.flatten(states))}
        runs.append(named | {"outputs": valid})
    subject.compare(runs[0], runs[1], "Recurrent and keras.layers.RNN disagree: call must be made of the three parts")


def check_mixed_precision(subject: Subject) -> None:
    """In bfloat16 the weights and their gradients stay float32 and the outputs stay near those of float32."""
    problem, inputs = subject.problem(time=6), subject.problem(time=6).inputs
    outputs = {}
    for policy in ("float32", "mixed_bfloat16"):
        layer = Recurrent(_with_dtype(subject, policy), return_sequences=True, dtype=policy)
        layer.build(inputs.shape, constants_shape=subject.memory_shape)
        subject.copy_weights(layer.cell)
        with tf.GradientTape() as tape:
            outputs[policy] = layer(inputs, **problem.beside)
        gradients = tape.gradient(outputs[policy], [w.value for w in layer.trainable_variables])
        for weight, gradient in zip(layer.trainable_variables, gradients, strict=True):
            assert weight.dtype == gradient.dtype == "float32", (
                f"{subject.name}: under {policy} weight {weight.path} is {weight.dtype} and its gradient "
                f"{gradient.dtype}; make weights with add_weight and its default dtype"
            )
    dtype = keras.backend.standardize_dtype(outputs["mixed_bfloat16"].dtype)
    assert dtype == "bfloat16", (
        f"{subject.name}: under mixed_bfloat16 the output is {dtype}; do not mix in float32 constants or casts"
    )
    actual, expected = ({"outputs": tf.cast(outputs[p], "float32")} for p in ("mixed_bfloat16", "float32"))
    subject.compare(actual, expected, "bfloat16 is far off float32: keep sums in float32", tolerance=0.2)


def _with_dtype(subject: Subject, policy: str) -> Cell:
    """A fresh copy in another dtype, cells it wraps included."""

    def replaced(config: Any) -> Any:
        if isinstance(config, dict) and config.get("module") != "keras.initializers":
            return {key: policy if key == "dtype" else replaced(value) for key, value in config.items()}
        return config

    return cast(Cell, type(subject.prototype).from_config(replaced(subject.prototype.get_config())))


def check_file(subject: Subject) -> None:
    """A model with the cell saved to a `.keras` file and loaded again gives the same outputs."""
    problem = subject.problem(time=4)
    model, given = _model(subject), {"inputs": problem.inputs} | problem.beside
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.keras")
        model.save(path)
        loaded = keras.models.load_model(path, custom_objects=subject.custom_objects)
    subject.compare(
        {"outputs": loaded(given)},
        {"outputs": model(given)},
        "a model loaded from its file differs: make weights in build and return all arguments from get_config",
        tolerance=0.0,
    )


def check_export(subject: Subject) -> None:
    """A SavedModel of the cell, for any number of rows and steps, answers as the model does."""
    model, module = _model(subject), tf.Module()
    signature = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), model.input)
    module.variables_of_the_model = [weight.value for weight in model.weights]
    module.run = tf.function(lambda given: model(given), input_signature=[signature], autograph=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        loaded = tf.saved_model.load(folder)
    for time, batch in ((1, 4), (5, 2)):
        problem = subject.problem(time, batch)
        given = {"inputs": problem.inputs} | problem.beside
        subject.compare(
            {"outputs": loaded.run(given)},
            {"outputs": model(given)},
            "an exported model differs: use TensorFlow operations only, no Python state",
        )


def _model(subject: Subject) -> keras.Model:
    """The cell in a layer that returns all outputs, with the subject's weights."""
    problem, beside = subject.problem(time=1), {}
    if problem.memory is not None:
        name = "constants" if hasattr(problem.memory, "shape") else None
        beside["constants"] = tf.nest.map_structure(
            lambda tensor: keras.Input(tensor.shape[1:], dtype=tensor.dtype.name, name=name), problem.memory
        )
    if problem.elapsed is not None:
        beside["elapsed"] = keras.Input((None,), name="elapsed")
    inputs = keras.Input((None, subject.features), name="inputs")
    layer = Recurrent(subject.fresh(), return_sequences=True)
    model = keras.Model({"inputs": inputs} | beside, layer(inputs, **beside))
    subject.copy_weights(layer.cell)
    return model
