"""Layers of known cells become ONNX's own operations, with the answers of the layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from rnnapps.cells import GRU, LSTM, Cell, make_cell
from rnnapps.layers import Bidirectional, Recurrent
from rnnapps.layers.native import MARKER, has_native_form
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.static import StaticGraph, static_graph
from tests.portable.native import endpoint_of

ROWS, TIME, FEATURES, UNITS = 4, 7, 3, 5
CELLS = {
    "lstm": LSTM(UNITS),
    "gru": GRU(UNITS),
    "gru of the paper": GRU(UNITS, reset_after=False),
    "no bias": GRU(UNITS, use_bias=False),
}


def test_known_cells_with_their_usual_activations_have_a_native_form() -> None:
    assert all(map(has_native_form, CELLS.values()))
    others = [GRU(UNITS, activation="relu"), LSTM(UNITS, recurrent_activation="hard_sigmoid"), make_cell("min_gru", 3)]
    assert not any(map(has_native_form, others))


def layer_graph(cell: Cell, *, masks: bool = True) -> StaticGraph:
    """A layer forwards, and both ways, from given states, over rows of different lengths."""
    keras.utils.set_random_seed(0)
    first, both = (
        Recurrent(cell, return_sequences=True, return_state=True),
        Bidirectional(Recurrent(type(cell).from_config(cell.get_config()), return_sequences=True)),
    )
    for layer in (first, both):
        layer.build((None, None, FEATURES))
        layer.set_weights([np.random.default_rng(1).normal(size=own.shape) / 2 for own in layer.get_weights()])

    def run(features: Any, lengths: Any, **states: Any) -> dict[str, Any]:
        mask = tf.sequence_mask(lengths, tf.shape(features)[1]) if masks else None
        outputs, *final = first(features, initial_state=list(states.values()), mask=mask)
        other = both(features, mask=mask)
        return {"outputs": outputs, "both": other, **{f"final_{n}": state for n, state in enumerate(final)}}

    draw = np.random.default_rng(0)
    states = {f"h{n}": draw.normal(size=(ROWS, UNITS)).astype(np.float32) for n in range(len(cell.state_size))}
    features = draw.normal(size=(ROWS, TIME, FEATURES)).astype(np.float32)
    examples = {"features": features, "lengths": np.array([TIME, 1, 4, 0], np.int32), **states}
    return static_graph("tensors", endpoint_of(run, examples), TIME)


def test_a_graph_holds_them_only_where_they_are_asked_for() -> None:
    static = layer_graph(CELLS["gru"])
    assert static.native is not None
    kinds = [[own.type for own in graph.graph.get_operations()].count(MARKER) for graph in (static, static.native())]
    assert kinds == [0, 3]


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("name", CELLS)
def test_they_answer_as_the_layer_does(name: str, masks: bool, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `portable` is not installed")
    (written,) = FORMATS["onnx"].write(layer_graph(CELLS[name], masks=masks), tmp_path, "m")
    assert written["difference"] < 1e-6
    kinds = [node.op_type for node in onnx.load(str(tmp_path / "m_tensors.onnx")).graph.node]
    assert kinds.count("LSTM" if name == "lstm" else "GRU") == 3 and kinds.count("Tanh") == 0


def test_what_a_mask_of_other_places_makes_wrong_is_written_out(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `portable` is not installed")
    layer = Recurrent(CELLS["lstm"], return_sequences=True)
    layer.build((None, None, FEATURES))

    def run(features: Any) -> dict[str, Any]:
        return {"outputs": layer(features, mask=features[..., 0] > 0)}

    features = np.random.default_rng(0).normal(size=(ROWS, TIME, FEATURES)).astype(np.float32)
    static = static_graph("tensors", endpoint_of(run, {"features": features}), TIME)
    (written,) = FORMATS["onnx"].write(static, tmp_path, "m")
    kinds = [node.op_type for node in onnx.load(str(tmp_path / "m_tensors.onnx")).graph.node]
    assert written["difference"] < 1e-6 and kinds.count("LSTM") == 0 and kinds.count("Tanh") > TIME


def test_a_single_step_stays_as_it_is() -> None:
    layer = Recurrent(CELLS["gru"])
    layer.build((None, None, FEATURES))
    for time, count in ((1, 0), (2, 1)):
        features = np.zeros((1, time, FEATURES), np.float32)
        static = static_graph("step", endpoint_of(lambda features: {"y": layer(features)}, {"features": features}), 1)
        assert (static.native is not None) == (count > 0)
        if static.native is not None:
            assert [own.type for own in static.native().graph.get_operations()].count(MARKER) == count
