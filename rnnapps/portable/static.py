"""Endpoints as graphs of fixed shapes, of one row: what runtimes beside TensorFlow take."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.kernels.portable_graph import portable_graph
from rnnapps.portable.folding import folded
from rnnapps.portable.leaving import STEP
from rnnapps.portable.quiet import quiet
from rnnapps.types import Array, Arrays, NamedTensors, Tensor

__all__ = ["LENGTHS", "NEXT", "Case", "StaticGraph", "states_of", "static_graph"]

LENGTHS = "lengths"
STATE, NEXT = "state_", "next_"


@dataclass(frozen=True)
class Case:
    """One row of a request, and what the Keras model answers.

    Attributes:
        inputs: input name -> array `(1, ...)`.
        outputs: output name -> array `(1, ...)`.
    """

    inputs: Arrays
    outputs: Arrays


@dataclass(frozen=True)
class StaticGraph:
    """An endpoint for one row, with fixed shapes, as a graph without variables, functions and strings.

    Attributes:
        name: of the signature.
        graph: the operations that depend on inputs, and constants.
        inputs: input name -> its placeholder.
        outputs: output name -> its tensor.
        steps: size of every dimension that varies in the endpoint.
        cases: rows of the endpoint's examples with their answers.
        states: input name of each state -> name of the output that takes its place in the next step.
        first: input name of each state -> its value before the first step, without the batch dimension.
        native: traces the same with layers of known cells as single operations, for formats that have these; None
            where there is no such layer.
    """

    name: str
    graph: tf.Graph
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    steps: int
    cases: tuple[Case, ...]
    states: Mapping[str, str]
    first: Arrays
    native: Callable[[], StaticGraph] | None = None

    @property
    def arguments(self) -> dict[str, Tensor]:
        """The inputs that are no states."""
        return {name: tensor for name, tensor in self.inputs.items() if name not in self.states}

    @property
    def results(self) -> dict[str, Tensor]:
        """The outputs that are no states."""
        return {name: tensor for name, tensor in self.outputs.items() if name not in self.states.values()}


def static_graph(name: str, endpoint: Endpoint, steps: int) -> StaticGraph:
    """Traces an endpoint for one row.

    Strings are left out, and so is what depends on them. `lengths` is no input of a step: all its places are valid.

    Args:
        name: of the signature.
        endpoint: its bare function is traced; rows must keep the rules.
        steps: size of every dimension that varies.

    Raises:
        ExportError: it cannot be traced, has no output of numbers, or one whose size depends on values.
    """
    static, has_native_form = _traced(name, endpoint, steps, native=False)
    fixed, inputs = _fixed(name, endpoint, steps), static.inputs
    zeros = {key: np.zeros(inputs[key].shape[1:], inputs[key].dtype.as_numpy_dtype) for key in static.states}
    first = {key: np.asarray(endpoint.zero_states.get(key, zero), zero.dtype) for key, zero in zeros.items()}
    static = replace(static, cases=tuple(_cases(endpoint, steps, fixed, static.outputs)), first=first)
    return replace(static, native=functools.partial(_native, static, endpoint)) if has_native_form else static


def _native(static: StaticGraph, endpoint: Endpoint) -> StaticGraph:
    """See `StaticGraph.native`; what the endpoint answers is known."""
    native, _ = _traced(static.name, endpoint, static.steps, native=True)
    return replace(native, cases=static.cases, first=static.first)


def _traced(name: str, endpoint: Endpoint, steps: int, *, native: bool) -> tuple[StaticGraph, bool]:
    """The graph, without cases and first states; and whether there is a layer that may be a single operation."""
    fixed = _fixed(name, endpoint, steps)
    specs = _specs(endpoint, steps, fixed)
    function = tf.function(lambda **inputs: _numbers(endpoint, {**inputs, **fixed}), autograph=False)
    try:
        with portable_graph(native=native) as traced:
            concrete = function.get_concrete_function(**specs)
        with quiet():
            frozen = convert_variables_to_constants_v2(concrete, lower_control_flow=False)
    except (tf.errors.OpError, ValueError, TypeError, NotImplementedError) as error:
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ExportError(f"signature {name!r}: cannot be traced for one row ({line[:300]})") from error
    results = dict(zip(sorted(concrete.structured_outputs), (tensor.name for tensor in frozen.outputs), strict=True))
    graph, inputs, outputs = folded(frozen.graph.as_graph_def(), list(specs), results)
    if name == STEP:
        inputs, outputs = _without_idle_states(endpoint, inputs, outputs)
    if not outputs:
        raise ExportError(f"signature {name!r}: has no output of numbers of a fixed size, which alone leave TensorFlow")
    states = states_of(inputs, outputs) if name == STEP else {}
    return StaticGraph(name, graph, inputs, outputs, steps, (), states, {}), traced.has_native_form


def _without_idle_states(
    endpoint: Endpoint, inputs: dict[str, Tensor], outputs: dict[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Leaves out states that no step reads."""
    idle = {output for name, output in states_of(endpoint.input_signature, outputs).items() if name not in inputs}
    return inputs, {name: tensor for name, tensor in outputs.items() if name not in idle}


def states_of(inputs: Mapping[str, object], outputs: Mapping[str, object]) -> dict[str, str]:
    """Input name of each state -> the output that takes its place: `next_` and the name, or the name itself."""
    successors = {name: NEXT + name if NEXT + name in outputs else name for name in inputs}
    return {name: successor for name, successor in successors.items() if successor in outputs}


def _fixed(name: str, endpoint: Endpoint, steps: int) -> Arrays:
    """Inputs that are constants: those that the endpoint has settled, and in a step the lengths."""
    settled = {key: np.full(1, value) for key, value in endpoint.settled.items()}
    whole = {LENGTHS: np.array([steps], np.int32)} if name == STEP and LENGTHS in endpoint.input_signature else {}
    return {**settled, **whole}


def _specs(endpoint: Endpoint, steps: int, fixed: Arrays) -> dict[str, tf.TensorSpec]:
    """The input signature for one row, every size that varies fixed: those of states as their examples have them."""
    specs = {}
    for name, spec in endpoint.input_signature.items():
        own = endpoint.examples[name].shape if name.startswith(STATE) else [steps] * spec.shape.rank
        shape = [1, *(own[axis] if size is None else size for axis, size in enumerate(spec.shape) if axis)]
        specs[name] = tf.TensorSpec(shape, spec.dtype, name=name)
    return {name: spec for name, spec in specs.items() if name not in fixed}


def _numbers(endpoint: Endpoint, inputs: NamedTensors) -> dict[str, Tensor]:
    """The outputs of an endpoint that are no strings."""
    outputs = {name: tf.convert_to_tensor(value) for name, value in endpoint.function(**inputs).items()}
    return {name: value for name, value in outputs.items() if value.dtype != tf.string}


def _cases(endpoint: Endpoint, steps: int, fixed: Arrays, outputs: Mapping[str, Tensor]) -> Iterator[Case]:
    """Each row of the examples, cut or lengthened with zeros to the fixed sizes, answered by the endpoint itself.

    Answers are lengthened with zeros too: what stands behind a row's end.
    """
    specs = _specs(endpoint, steps, fixed)
    served = tf.function(lambda **inputs: _numbers(endpoint, inputs), autograph=False)
    answered = served.get_concrete_function(**endpoint.input_signature)
    for row in range(len(next(iter(endpoint.examples.values())))):
        inputs = {name: _fitted(endpoint.examples[name][row : row + 1], spec) for name, spec in specs.items()}
        if LENGTHS in inputs:
            inputs[LENGTHS] = np.minimum(inputs[LENGTHS], steps)
        answer = answered(**{name: tf.constant(value) for name, value in {**inputs, **fixed}.items()})
        specified = {key: tf.TensorSpec(tensor.shape, tensor.dtype) for key, tensor in outputs.items()}
        yield Case(inputs, {key: _fitted(np.asarray(answer[key]), spec) for key, spec in specified.items()})


def _fitted(array: Array, spec: tf.TensorSpec) -> Array:
    """An array cut, or lengthened with zeros or empty strings, to the shape of a specification."""
    shape = tuple(spec.shape)
    result = np.full(shape, b"", object) if spec.dtype == tf.string else np.zeros(shape, spec.dtype.as_numpy_dtype)
    corner = tuple(slice(min(pair)) for pair in zip(array.shape, shape, strict=True))
    result[corner] = array[corner]
    return result
