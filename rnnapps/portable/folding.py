"""What of a graph depends on its inputs; all the rest becomes constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from rnnapps.types import Array, Tensor

__all__ = ["folded"]

SAME = frozenset({"CheckNumerics", "EnsureShape", "Identity", "IdentityN", "PreventGradient", "StopGradient"})
"""Operations that return their inputs."""
SIZES = frozenset({"Rank", "Shape", "ShapeN", "Size"})
"""Operations that ask for a shape, which is known."""
CHOICES = frozenset({"Select", "SelectV2"})
MOST_LOOKED_AT = 1 << 16
ROUNDS = 10


def folded(
    graph_def: tf.compat.v1.GraphDef, inputs: Sequence[str], outputs: Mapping[str, str]
) -> tuple[tf.Graph, dict[str, Tensor], dict[str, Tensor]]:
    """Evaluates what no input changes, and leaves out what no output needs.

    Args:
        graph_def: without variables, its shapes known but for those that depend on values.
        inputs: names of its placeholders.
        outputs: output name -> name of its tensor.

    Returns:
        The graph; the placeholders that are needed, by name; and the outputs of numbers whose size, and that of all
        they are computed from, is fixed.
    """
    for _ in range(ROUNDS):
        graph = _imported(graph_def)
        graph_def, outputs, changed = _round(graph, _named(graph, outputs))
        if not changed:
            break
    graph = _imported(graph_def)
    fixed = _fixed(_named(graph, outputs))
    if len(fixed) < len(outputs):
        graph_def, outputs, _ = _round(graph, fixed)
        graph = _imported(graph_def)
    needed = {operation.name for operation in graph.get_operations()}
    placeholders = {name: graph.get_tensor_by_name(f"{name}:0") for name in inputs if name in needed}
    return graph, placeholders, _named(graph, outputs)


def _named(graph: tf.Graph, tensors: Mapping[str, str]) -> dict[str, Tensor]:
    return {name: graph.get_tensor_by_name(tensor) for name, tensor in tensors.items()}


def _imported(graph_def: tf.compat.v1.GraphDef) -> tf.Graph:
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(graph_def, name="")
    return graph


def _round(graph: tf.Graph, outputs: Mapping[str, Tensor]) -> tuple[tf.compat.v1.GraphDef, dict[str, str], bool]:
    """The graph with constants for what they can stand for, the outputs' tensors in it, and whether any was found."""
    source = {name: _source(tensor) for name, tensor in outputs.items()}
    operations = _ancestors(source.values())
    values = _values(graph, operations, source.values())
    whole = graph.as_graph_def()
    result = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    constants: dict[str, str] = {}
    known = {operation.name for operation in operations}
    for name, value in values.items():
        constants[name] = f"constant_{len(constants)}_of_{name.replace(':', '_').replace('/', '_')}"
        result.node.append(_constant(constants[name], value))
    for operation in operations:
        if operation.name not in known or (operation.outputs and all(t.name in values for t in operation.outputs)):
            continue
        node = result.node.add()
        node.CopyFrom(operation.node_def)
        del node.input[:]
        node.input.extend(constants.get(_source(tensor).name, _source(tensor).name) for tensor in operation.inputs)
    return (
        result,
        {n: f"{constants[t.name]}:0" if t.name in constants else t.name for n, t in source.items()},
        bool(values),
    )


def _values(graph: tf.Graph, operations: Sequence[tf.Operation], wanted: Iterable[Tensor]) -> dict[str, Array]:
    """Name -> value of every tensor that no input changes and that something which inputs change, or nobody, reads."""
    constant: set[str] = set()
    shapes: dict[str, Array] = {}
    for operation in operations:
        sources = [_source(tensor) for tensor in operation.inputs]
        if operation.type in SIZES and all(tensor.shape.is_fully_defined() for tensor in sources):
            shapes |= {t.name: _shape(operation.type, s, t) for t, s in zip(operation.outputs, sources, strict=True)}
            constant |= {tensor.name for tensor in operation.outputs}
        elif operation.type == "ZerosLike" and sources[0].shape.is_fully_defined():
            shapes[operation.outputs[0].name] = np.zeros(sources[0].shape, sources[0].dtype.as_numpy_dtype)
            constant.add(operation.outputs[0].name)
        elif _may_fold(operation) and all(tensor.name in constant for tensor in sources):
            constant |= {tensor.name for tensor in operation.outputs}
    readers = [o for o in operations if o.outputs and any(t.name not in constant for t in o.outputs)]
    read = {_source(tensor).name for operation in readers for tensor in operation.inputs} | {t.name for t in wanted}
    given = {operation.outputs[0].name for operation in operations if operation.type == "Const"}
    names = sorted((constant & read) - given)
    computed = [name for name in names if name not in shapes]
    found = _computed(graph, computed, shapes) if computed else {}
    return {name: shapes[name] if name in shapes else np.asarray(found[name]) for name in names}


def _computed(graph: tf.Graph, wanted: Sequence[str], known: Mapping[str, Array]) -> dict[str, Array]:
    """Name -> value of tensors, in a graph of nothing else: there may be operations that this machine cannot run.

    Args:
        graph: the graph.
        wanted: names of tensors that no input changes.
        known: name -> value of some that others are computed from.
    """
    whole = graph.as_graph_def()
    part = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    constants = {name: f"known_{number}" for number, name in enumerate(known)}
    part.node.extend(_constant(constants[name], value) for name, value in known.items())
    pending, done = [graph.get_tensor_by_name(name).op for name in wanted], set()
    while pending:
        operation = pending.pop()
        if operation.name in done:
            continue
        done.add(operation.name)
        node = part.node.add()
        node.CopyFrom(operation.node_def)
        del node.input[:]
        node.input.extend(constants.get(tensor.name, tensor.name) for tensor in operation.inputs)
        pending += [tensor.op for tensor in operation.inputs if tensor.name not in known]
    with tf.compat.v1.Session(graph=_imported(part)) as session:
        return dict(zip(wanted, session.run(list(wanted)), strict=True))


def _may_fold(operation: tf.Operation) -> bool:
    """Whether an operation's results can be written down, if its inputs are known."""
    return operation.type != "Placeholder" and not any(t.dtype in (tf.variant, tf.resource) for t in operation.outputs)


def _shape(kind: str, source: Tensor, like: Tensor) -> Array:
    sizes = source.shape.as_list()
    value = len(sizes) if kind == "Rank" else int(np.prod(sizes)) if kind == "Size" else sizes
    return np.array(value, like.dtype.as_numpy_dtype)


def _constant(name: str, value: Array) -> tf.compat.v1.NodeDef:
    node = tf.compat.v1.NodeDef(name=name, op="Const")
    proto = tf.make_tensor_proto(value, shape=value.shape)
    node.attr["value"].tensor.CopyFrom(proto)
    node.attr["dtype"].type = proto.dtype
    return node


def _source(tensor: Tensor) -> Tensor:
    """The tensor that operations which change nothing hand on."""
    while (place := _handed_on(tensor)) is not None:
        tensor = tensor.op.inputs[place]
    return tensor


def _handed_on(tensor: Tensor) -> int | None:
    """Which of its operation's inputs a tensor is the same as; None where it is computed.

    A mask of a chunk whose places all count is a constant: what it chooses from, or what is multiplied by ones, stays.
    """
    operation = tensor.op
    if operation.type in SAME:
        return int(tensor.value_index)
    place = None
    if operation.type in CHOICES and (mask := _uniform(operation.inputs[0])) is not None:
        place = 1 if mask else 2
    elif operation.type == "Mul":
        place = next((1 - own for own in (0, 1) if _uniform(operation.inputs[own]) == 1), None)
    return place if place is not None and operation.inputs[place].shape == tensor.shape else None


def _uniform(tensor: Tensor) -> float | None:
    """The value that all elements of a constant have; None where it is none, or they differ."""
    while tensor.op.type in SAME:
        tensor = tensor.op.inputs[tensor.value_index]
    kind = tensor.dtype
    if (
        tensor.op.type != "Const"
        or not (kind.is_floating or kind.is_bool)
        or tensor.shape.num_elements() > MOST_LOOKED_AT
    ):
        return None
    values = tf.get_static_value(tensor)
    return float(values.flat[0]) if values.size and (values == values.flat[0]).all() else None


def _ancestors(tensors: Iterable[Tensor]) -> list[tf.Operation]:
    """The operations that tensors are computed by, each behind those that it reads."""
    order: dict[str, tf.Operation] = {}
    pending = [(tensor.op, False) for tensor in tensors]
    while pending:
        operation, ready = pending.pop()
        if ready:
            order.setdefault(operation.name, operation)
        elif operation.name not in order:
            pending.append((operation, True))
            pending += [(_source(tensor).op, False) for tensor in operation.inputs]
    return list(order.values())


def _fixed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose sizes, and those of all they are computed from, no value changes."""
    loose: set[str] = set()
    for operation in _ancestors(tensors.values()):
        read = [output for output in operation.outputs if output.consumers()]
        from_loose = any(_source(tensor).op.name in loose for tensor in operation.inputs)
        if from_loose or not all(output.shape.is_fully_defined() for output in read):
            loose.add(operation.name)
    return {
        name: tensor
        for name, tensor in tensors.items()
        if tensor.shape.is_fully_defined() and tensor.op.name not in loose
    }
