"""ONNX's `LSTM` and `GRU` in the place of what stands for them, see `rnnapps.layers.native`."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnapps.types import Array

__all__ = ["write_recurrence"]

ORDERS = {"lstm": (0, 3, 1, 2), "gru": (0, 1, 2)}
"""ONNX's order of the gates, by their places in our weights: input, output, forget, candidate; update, reset, candidate
as we have them."""


def write_recurrence(graph: Any, node: Any, *_: object) -> None:
    """Handles a node of tf2onnx's graph.

    Args:
        graph: the graph.
        node: one that stands for a recurrence.
        *_: names that the converter hands over.
    """
    kind = node.get_attr_str("rnn_mode")
    several = 2 if kind == "lstm" else 1  # states
    weights = zip(("kernel", "recurrent", "bias"), _weights(graph, node, kind), strict=True)
    constants = [graph.make_const(f"{node.name}_{name}", value).output[0] for name, value in weights]
    sequences, lengths, states = node.input[0], node.input[4], node.input[1 : 1 + several]
    told = [(name, graph.get_shape(name), graph.get_dtype(name)) for name in node.output[: 1 + several]]
    attributes: dict[str, Any] = {"hidden_size": graph.get_shape(states[0])[2]}
    attributes["direction"] = "reverse" if node.get_attr_int("seed") else "forward"
    attributes |= {"linear_before_reset": node.get_attr_int("seed2")} if kind == "gru" else {}
    graph.remove_node(node.name)
    given = [sequences, *constants, lengths, *states]
    made = graph.make_node(kind.upper(), given, attr=attributes, output_count=len(told), name=f"{node.name}_native")
    # Of one direction: the axis of directions goes away from the outputs; final states have it, too.
    axis = graph.make_const(f"{node.name}_axis", np.array([1], np.int64)).output[0]
    for place, (name, shape, dtype) in enumerate(told):
        operation, more = ("Identity", []) if place else ("Squeeze", [axis])
        graph.make_node(operation, [made.output[place], *more], outputs=[name], shapes=[shape], dtypes=[dtype])


def _weights(graph: Any, node: Any, kind: str) -> list[Array]:
    """Kernel `(1, gates, features)`, recurrent kernel `(1, gates, units)`, biases `(1, 2 * gates)`, in ONNX's order."""
    flat = node.inputs[3].get_tensor_value(as_list=False)
    features, units = graph.get_shape(node.input[0])[2], graph.get_shape(node.input[1])[2]
    gates = len(ORDERS[kind]) * units
    parts = np.split(flat, np.cumsum([features * gates, units * gates]))
    order = np.concatenate([np.arange(units) + units * place for place in ORDERS[kind]])
    kernel, recurrent, bias = (part.reshape(-1, gates)[:, order] for part in parts)
    return [np.ascontiguousarray(kernel.T[None]), np.ascontiguousarray(recurrent.T[None]), bias.reshape(1, -1)]
