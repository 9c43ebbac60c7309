"""Measured memory of one training step, in a fresh process: only there does TensorFlow's memory show."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from rnnapps.training.measure import measure_command, peak_rise
from rnnapps.training.recurrence import complete_inputs, recurrent_layers
from rnnapps.types import Nest, Tensors

__all__ = ["measure_step_memory"]

_ANSWER = "rise of peak memory in bytes: "


def measure_step_memory(network: keras.Model, inputs: Mapping[str, Nest]) -> int | None:
    """Measured rise of peak memory in one forward and backward pass, in bytes; takes some ten seconds.

    The pass runs as a TensorFlow graph, not compiled by XLA, whose compiler needs more memory than what it compiles.
    Weights are in memory before and do not count; inputs and gradients do. Only the shapes matter: inputs are zeros,
    the loss is the mean square of the outputs.

    Args:
        network: any network with `Recurrent` layers, whose classes another process can import.
        inputs: one batch by name; missing "states" are added.

    Returns:
        The rise, or None where it cannot be measured: not on Linux, or with classes defined in a script or notebook.
    """
    shapes = tf.nest.map_structure(
        lambda value: tf.TensorSpec(value.shape, value.dtype), complete_inputs(network, inputs)
    )
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "network.keras")
        description = {
            "modules": sorted({type(layer).__module__ for layer in network._flatten_layers()} - {"__main__"}),
            "inputs": {
                name: [[spec.shape.as_list(), spec.dtype.name] for spec in tf.nest.flatten(value)]
                for name, value in shapes.items()
            },
        }
        (Path(folder) / "step.json").write_text(json.dumps(description))
        paths = os.pathsep.join(path for path in sys.path if path)
        use = measure_command(
            [sys.executable, "-m", __name__, folder], environment={"PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"}
        )
    answers = [line.removeprefix(_ANSWER) for line in use.output.splitlines() if line.startswith(_ANSWER)]
    return int(answers[0]) if answers else None


def _measure(folder: Path) -> int | None:
    """What the fresh process does: a step of one sequence to load all that is loaded once, then the whole batch."""
    description = json.loads((folder / "step.json").read_text())
    for module in description["modules"]:
        importlib.import_module(module)
    network = keras.saving.load_model(folder / "network.keras", compile=False)
    for layer in recurrent_layers(network):
        layer.kernel = "graph"
    weights = [weight.value for weight in network.trainable_weights]

    def step(inputs: Nest) -> Tensors:
        with tf.GradientTape() as tape:
            floats = [output for output in tf.nest.flatten(network(inputs, training=True)) if output.dtype.is_floating]
            value = tf.add_n([tf.reduce_mean(tf.cast(output, tf.float32) ** 2) for output in floats])
        gradients: Tensors = tape.gradient(value, weights)
        return gradients

    compiled = tf.function(step)
    compiled(_zeros(network, description["inputs"], one_sequence=True))
    whole = _zeros(network, description["inputs"])
    traced = compiled.get_concrete_function(whole)
    return peak_rise(lambda: traced(*tf.nest.flatten(whole)))[1]


def _zeros(network: keras.Model, shapes: Mapping[str, Any], *, one_sequence: bool = False) -> dict[str, Nest]:
    """Inputs of zeros of the described shapes."""
    tensors = {
        name: [tf.zeros([1, *shape[1:]] if one_sequence else shape, dtype) for shape, dtype in specs]
        for name, specs in shapes.items()
    }
    return {name: tf.nest.pack_sequence_as(network.input[name], flat) for name, flat in tensors.items()}


if __name__ == "__main__":
    rise = _measure(Path(sys.argv[1]))
    if rise is not None:
        print(f"{_ANSWER}{rise}", flush=True)
