"""Our recurrent layers export without a trace of the compiler, and answer row by row as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import CELLS, make_cell
from rnnapps.contract.endpoint import Endpoint
from rnnapps.export.inference import load_for_inference
from rnnapps.export.manifest import read_manifest
from rnnapps.export.saved_model import export
from rnnapps.layers.stack import RecurrentStack
from rnnapps.portable.write import write_portable
from rnnapps.reports.model_card import ModelCard


def network_of(names: Sequence[str]) -> keras.Model:
    """One layer a cell, states in and out, lengths as an input."""
    keras.utils.set_random_seed(0)
    stack = RecurrentStack([make_cell(name, 6) for name in names], residual=True, name="recurrent")
    features = keras.Input((None, 4), name="features")
    mask = keras.Input((None,), dtype="bool", name="mask")
    states = [keras.Input(shape, name=f"state_{number}") for number, shape in enumerate(stack.state_shapes)]
    outputs, last = stack(features, states=states, mask=mask)
    outputs = keras.layers.Dense(3, name="head")(outputs)
    return keras.Model({"features": features, "mask": mask, "states": states}, {"outputs": outputs, "states": last})


def step_endpoint(network: keras.Model) -> Endpoint:
    """A chunk of any length and the states before it -> outputs and the states after it."""
    shapes = [spec.shape[1:] for spec in network.input["states"]]

    def function(features: Any, lengths: Any, **states: Any) -> dict[str, Any]:
        mask = tf.sequence_mask(lengths, tf.shape(features)[1])
        before = [states[f"state_{number}"] for number in range(len(shapes))]
        results = network({"features": features, "mask": mask, "states": before})
        after = {f"next_state_{number}": state for number, state in enumerate(results["states"])}
        return {"outputs": tf.where(mask[..., tf.newaxis], results["outputs"], 0.0), **after}

    signature = {"features": tf.TensorSpec((None, None, 4), tf.float32), "lengths": tf.TensorSpec((None,), tf.int32)}
    signature |= {f"state_{n}": tf.TensorSpec((None, *shape), tf.float32) for n, shape in enumerate(shapes)}
    random = np.random.default_rng(0)
    examples = {"features": random.normal(size=(5, 7, 4)).astype(np.float32), "lengths": np.array([7, 1, 4, 6, 2])}
    examples["lengths"] = examples["lengths"].astype(np.int32)
    examples |= {f"state_{n}": random.normal(size=(5, *shape)).astype(np.float32) / 4 for n, shape in enumerate(shapes)}
    return Endpoint(function, signature, examples)


@pytest.mark.parametrize("names", [("lstm", "min_gru"), pytest.param(tuple(CELLS), marks=pytest.mark.slow)])
def test_cells_export_and_stream(tmp_path: Path, names: tuple[str, ...]) -> None:
    network = network_of(names)
    endpoint = step_endpoint(network)
    endpoints = {"serving_default": endpoint}
    version = export(
        endpoints,
        network,
        None,
        tmp_path / "toy",
        config_yaml="",
        model_card=ModelCard("toy"),
        more=lambda folder: write_portable({"step": endpoint}, folder / "portable", "toy", formats=["c"]),
    )
    listed = {file for file in read_manifest(version).files if "portable" in file}
    assert {f"assets.extra/portable/c/toy_step{kind}" for kind in (".c", ".h", "_int8.c", "_int8.h")} < listed

    model, inputs = load_for_inference(version), endpoint.examples
    whole = {**inputs, "lengths": np.full(5, 7, np.int32)}
    expected = model.run("serving_default", whole)
    states = {name: value for name, value in inputs.items() if name.startswith("state_")}
    pieces = []
    for start, stop in ((0, 1), (1, 5), (5, 7)):
        chunk = {"features": inputs["features"][:, start:stop], "lengths": np.full(5, stop - start, np.int32)}
        answer = model.run("serving_default", {**chunk, **states})
        pieces.append(answer["outputs"])
        states = {name: answer[f"next_{name}"] for name in states}
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected["outputs"], atol=1e-5)
    for name, state in states.items():
        # Matrix memories sum up what they are given: numbers near 70, of which float32 holds seven digits.
        relative = 1e-6 if state.ndim > 2 else 1e-7
        np.testing.assert_allclose(state, expected[f"next_{name}"], rtol=relative, atol=1e-5)
