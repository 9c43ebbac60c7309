"""From a graph of fixed shapes to a C program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.portable.c.copies import COPIES
from rnnapps.portable.c.elementwise import ELEMENTWISE, apply
from rnnapps.portable.c.memory import CTYPES, Buffer, Place, Value, View, dense
from rnnapps.portable.c.orders import ORDERS
from rnnapps.portable.c.products import PRODUCTS
from rnnapps.portable.c.program import Program, as_expression
from rnnapps.portable.c.reductions import REDUCTIONS
from rnnapps.portable.c.structure import STRUCTURE, Unsupported
from rnnapps.portable.folding import SAME
from rnnapps.portable.static import StaticGraph
from rnnapps.types import Tensor

__all__ = ["HANDLERS", "Compiled", "compile_graph"]


HANDLERS = {**STRUCTURE, **COPIES, **PRODUCTS, **REDUCTIONS, **ORDERS}
"""Operation -> what compiles it; `ELEMENTWISE` are the others that are known."""


@dataclass(frozen=True)
class Compiled:
    """A graph as a program.

    Attributes:
        static: the graph.
        program: its loops.
        states, arguments, results: the fields of the C structs, by their names.
    """

    static: StaticGraph
    program: Program
    states: dict[str, View]
    arguments: dict[str, View]
    results: dict[str, View]


def compile_graph(static: StaticGraph, *, int8: bool = False) -> Compiled:
    """Compiles a step.

    Args:
        static: the graph.
        int8: store the weights of products as 8-bit integers.

    Raises:
        ExportError: an operation that the compiler does not know.
    """
    program = Program(int8=int8)
    states = {name: _field(name, static.inputs[name], "state") for name in static.states}
    arguments = {name: _field(name, tensor, "input") for name, tensor in static.arguments.items()}
    results = {name: _field(name, tensor, "output") for name, tensor in static.results.items()}
    values = _walk(static, program, {**states, **arguments})
    for name, tensor in static.results.items():
        program.store(f"output {name}", values[tensor.name], results[name])
    # Every new state is known before the first old one is overwritten.
    new = {name: values[static.outputs[output].name] for name, output in static.states.items()}
    ready = {name: program.flat(f"state {name}", _safe(program, value)) for name, value in new.items()}
    for name, value in ready.items():
        program.store(f"state {name}", value, states[name])
    return Compiled(static, program, states, arguments, results)


_POINTERS = {"state": "state", "input": "input", "output": "output"}


def _field(name: str, tensor: Tensor, place: Place) -> View:
    """A field of a struct."""
    shape, dtype = tuple(tensor.shape), tensor.dtype.name
    if dtype not in CTYPES:
        raise ExportError(f"{name}: C has no type {dtype}")
    buffer = Buffer(f"{_POINTERS[place]}->{name}", dtype, int(np.prod(shape, dtype=int)), place)
    return View(buffer, shape, dense(shape))


def _safe(program: Program, value: Value) -> Value:
    """A value that no later writing of a state changes."""
    if any(leaf.buffer.place == "state" for leaf in as_expression(value).leaves):
        out = program.scratch(value.shape, value.dtype)
        program.store("state", value, out)
        return out
    return value


def _walk(static: StaticGraph, program: Program, fields: dict[str, View]) -> dict[str, Value]:
    """Compiles every operation in order; returns the value of each tensor by its name."""
    values: dict[str, Value] = {static.inputs[name].name: view for name, view in fields.items()}
    uses = _uses(static)
    for operation in static.graph.get_operations():
        if operation.type == "Const":
            tensor = operation.outputs[0]
            if uses.get(tensor.name):
                values[tensor.name] = program.constant(tf.get_static_value(tensor))
            continue
        if operation.type == "Placeholder" or not any(tensor.name in uses for tensor in operation.outputs):
            continue
        results = _results(program, operation, [values[tensor.name] for tensor in operation.inputs])
        for tensor, value in zip(operation.outputs, results, strict=True):
            values[tensor.name] = program.kept(operation.name, value, uses.get(tensor.name, 0))
    return values


def _results(program: Program, operation: tf.Operation, values: list[Value]) -> Sequence[Value]:
    """The outputs of one operation."""
    kind = operation.type
    try:
        if kind in SAME:
            return values
        if kind in ELEMENTWISE:
            return [apply(program, operation, values)]
        handler = HANDLERS.get(kind)
        if handler is None:
            raise Unsupported("no C formula is known for it")
        return handler(program, operation, values)
    except Unsupported as error:
        raise ExportError(
            f"operation {kind} ({operation.name}) cannot become C: {error}; export --portable onnx or litert instead"
        ) from error


def _uses(static: StaticGraph) -> dict[str, int]:
    """How often each tensor is read, by its name; what nobody reads is left out."""
    counts: dict[str, int] = {}
    pending = [tensor for tensor in static.outputs.values()]
    seen: set[str] = set()
    while pending:
        tensor = pending.pop()
        counts[tensor.name] = counts.get(tensor.name, 0) + 1
        if tensor.op.name not in seen:
            seen.add(tensor.op.name)
            pending += list(tensor.op.inputs)
    return counts
