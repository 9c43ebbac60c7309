"""Floating-point operations of a TensorFlow graph, from the shapes of its tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import tensorflow as tf

__all__ = ["Operations", "count_graph"]

_ELEMENTWISE = frozenset(
    """
    Abs Add AddN AddV2 BiasAdd Cos DivNoNan Elu Erf Exp Expm1 LeakyRelu Log Log1p LogSoftmax Maximum Minimum Mul Neg Pow
    RealDiv Relu Relu6 Rsqrt Selu Sigmoid Sin Softmax Softplus Softsign Sqrt Square SquaredDifference Sub Tanh
    """.split()  # noqa: SIM905  (a list literal would take 36 lines)
)
_REDUCTIONS = frozenset({"Sum", "Mean", "Max", "Min", "Prod"})
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_LOOPS = frozenset({"While", "StatelessWhile"})


@dataclass(frozen=True)
class Operations:
    """Floating-point operations of one part of the network for one batch, forward.

    A multiplication and an addition count as two; an elementwise operation, also exp or tanh, as one an element.

    Attributes:
        part: "outside recurrent layers", or "LAYER: input" (all time steps at once) and "LAYER: recurrence".
        matrix: operations of matrix products and convolutions.
        elementwise: all other counted operations.
        uncounted_loops: loops in this part, whose bodies are not counted because their length is unknown.
    """

    part: str
    matrix: int
    elementwise: int
    uncounted_loops: int = 0

    @property
    def forward(self) -> int:
        """All operations of the forward pass."""
        return self.matrix + self.elementwise

    @property
    def training(self) -> int:
        """Estimate for forward and backward: each has two products in the backward pass for one in the forward."""
        return 3 * self.forward


def count_graph(part: str, graph: tf.Graph, *, times: int = 1) -> Operations:
    """Counts the operations of a graph with static shapes, and of the functions it calls.

    Args:
        part: name of the part of the network the graph computes.
        graph: the graph.
        times: how often it runs.
    """
    matrix, elementwise, loops = _walk(graph)
    return Operations(part, matrix * times, elementwise * times, loops)


def _walk(graph: tf.Graph) -> tuple[int, int, int]:
    """Operations of matrix products, other operations and number of loops of a graph and the functions it calls."""
    matrix, elementwise, loops = 0, 0, 0
    for operation in graph.get_operations():
        if operation.type in _CALLS:
            inner = _walk(_called_graph(graph, operation))
            matrix, elementwise, loops = matrix + inner[0], elementwise + inner[1], loops + inner[2]
        elif operation.type in _LOOPS:
            loops += 1
        elif operation.outputs and operation.outputs[0].dtype.is_floating:
            matrix += _product_operations(operation)
            elementwise += _elementwise_operations(operation)
    return matrix, elementwise, loops


def _called_graph(graph: tf.Graph, operation: tf.Operation) -> tf.Graph:
    """The graph of the function that an operation calls."""
    return graph._get_function(operation.get_attr("f").name).graph


def _product_operations(operation: tf.Operation) -> int:
    """Operations of a matrix product or convolution, two for each multiplication; 0 for anything else."""
    outputs = math.prod(operation.outputs[0].shape)
    if operation.type == "MatMul":
        return int(2 * outputs * operation.inputs[0].shape[0 if operation.get_attr("transpose_a") else 1])
    if operation.type.startswith("BatchMatMul"):
        return int(2 * outputs * operation.inputs[0].shape[-2 if operation.get_attr("adj_x") else -1])
    if operation.type in ("Conv2D", "Conv3D"):
        return int(2 * outputs * math.prod(operation.inputs[1].shape[:-1]))
    if operation.type == "Einsum":
        sides = operation.get_attr("equation").decode().split("->")[0].split(",")
        sizes: dict[str, int] = {}
        for labels, operand in zip(sides, operation.inputs, strict=True):
            sizes |= dict(zip(labels, operand.shape, strict=True))
        return 2 * math.prod(sizes.values()) if len(sides) == 2 else 0
    return 0


def _elementwise_operations(operation: tf.Operation) -> int:
    """One for each element of the result, of a reduction of its input; 0 for what is not counted."""
    if operation.type in _ELEMENTWISE:
        return math.prod(operation.outputs[0].shape)
    return math.prod(operation.inputs[0].shape) if operation.type in _REDUCTIONS else 0
