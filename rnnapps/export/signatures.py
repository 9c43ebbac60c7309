"""Endpoints to SavedModel signatures: checked, answered by Keras, traced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.contract.tensor_names import next_state
from rnnapps.errors import ExportError
from rnnapps.export.answers import BATCH, Example
from rnnapps.export.arrays import Arrays, as_array
from rnnapps.export.outputs import NAME, require_servable
from rnnapps.export.signature_file import pairing_failures
from rnnapps.types import NamedTensors

if TYPE_CHECKING:
    from tensorflow.types.experimental import ConcreteFunction

__all__ = ["answer", "describe", "served", "trace"]

Described = dict[str, dict[str, dict[str, Any]]]
"""Kind ("inputs", "outputs") -> name -> {"dtype": str, "shape": list}."""


def answer(name: str, endpoint: Endpoint) -> Example:
    """Runs an endpoint in Keras on its first five examples.

    Args:
        name: of the signature.
        endpoint: the function, its inputs and its examples.

    Raises:
        ExportError: the examples do not fit the input signature, or the outputs cannot be served.
    """
    inputs = _example_inputs(name, endpoint)
    tensors = {
        key: tf.constant(value.tolist(), tf.string, value.shape) if value.dtype == object else tf.constant(value)
        for key, value in inputs.items()
    }
    try:
        outputs = endpoint.function(**tensors)
    except (tf.errors.OpError, ValueError, TypeError) as error:
        raise ExportError(f"signature {name!r}: fails on its own examples ({_line(error)})") from error
    require_servable(name, outputs)
    return Example(name, inputs, {key: as_array(tf.convert_to_tensor(value).numpy()) for key, value in outputs.items()})


def trace(name: str, endpoint: Endpoint) -> ConcreteFunction:
    """Traces an endpoint to a concrete function with its named inputs.

    Raises:
        ExportError: it cannot be traced, or its outputs cannot be served.
    """
    function = tf.function(lambda **inputs: endpoint.function(**inputs), autograph=False)
    specs = {key: tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in endpoint.input_signature.items()}
    try:
        concrete = function.get_concrete_function(**specs)
    except (tf.errors.OpError, ValueError, TypeError, NotImplementedError) as error:
        raise ExportError(f"signature {name!r}: cannot be traced to a graph ({_line(error)})") from error
    require_servable(name, concrete.structured_outputs)
    return concrete


def describe(endpoint: Endpoint, concrete: ConcreteFunction) -> Described:
    """Names, types and shapes of a signature's tensors, for the manifest; None stands for any size."""

    def entries(tensors: NamedTensors) -> dict[str, dict[str, Any]]:
        return {
            key: {
                "dtype": tensors[key].dtype.name,
                "shape": tensors[key].shape.as_list() if tensors[key].shape.rank is not None else None,
            }
            for key in sorted(tensors)
        }

    return {"inputs": entries(endpoint.input_signature), "outputs": entries(concrete.structured_outputs)}


def served(name: str, endpoint: Endpoint, described: Described) -> ServedSignature:
    """What a client must know of a signature.

    Args:
        name: of the signature.
        endpoint: its rules, meanings and states.
        described: what `describe` returned.

    Raises:
        ExportError: a state has no output that goes on from it, or a name stands for an input and an output.
    """
    for failure in pairing_failures(name, described["inputs"], described["outputs"]):
        raise ExportError(failure)
    limits = {rule.bounds: rule for rule in reversed(endpoint.rules) if rule.least is not None}
    inputs = {
        key: ServedTensor(
            **entry,
            meaning=endpoint.meaning(key),
            least=limits[key].least if key in limits else None,
            most=limits[key].most if key in limits else None,
            missing=key in endpoint.missing,
            default=endpoint.defaults.get(key),
            next=next_state(key) if next_state(key) in described["outputs"] else "",
            zero=_zero(endpoint, key) if next_state(key) in described["outputs"] else None,
        )
        for key, entry in described["inputs"].items()
    }
    outputs = {key: ServedTensor(**entry, meaning=endpoint.meaning(key)) for key, entry in described["outputs"].items()}
    return ServedSignature(endpoint.summary, inputs, outputs, list(endpoint.problems), endpoint.begins)


def _zero(endpoint: Endpoint, state: str) -> Any:
    """The value of a state in a first request: one for all its places where that is enough."""
    dtype = endpoint.input_signature[state].dtype
    value = as_array(endpoint.zero_states.get(state, "" if dtype == tf.string else 0))
    if value.size and (value == value.flat[0]).all():
        value = value.flat[0]
    found = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    return found.decode() if isinstance(found, bytes) else found


def _example_inputs(name: str, endpoint: Endpoint) -> Arrays:
    """The first five rows of all examples, checked against the input signature."""
    if not NAME.fullmatch(name):
        raise ExportError(f"signature {name!r}: letters, digits and underscores only, a letter first")
    if set(endpoint.examples) != set(endpoint.input_signature):
        raise ExportError(
            f"signature {name!r}: examples for {sorted(endpoint.examples)} found, "
            f"for {sorted(endpoint.input_signature)} expected"
        )
    inputs = {}
    for key, spec in endpoint.input_signature.items():
        where, array = f"signature {name!r}, input {key!r}", as_array(endpoint.examples[key])
        if not NAME.fullmatch(key):
            raise ExportError(f"{where}: letters, digits and underscores only, a letter first")
        if spec.shape.rank is None or spec.shape.rank < 1 or spec.shape[0] is not None:
            raise ExportError(f"{where}: shape {spec.shape} found; lead with a batch dimension of any size (None)")
        if len(array) < BATCH:
            raise ExportError(f"{where}: {len(array)} rows of examples found, at least {BATCH} expected")
        dtype = "string" if array.dtype == object else array.dtype.name
        if dtype != spec.dtype.name or not spec.shape.is_compatible_with(array.shape):
            raise ExportError(
                f"{where}: examples are {dtype} {array.shape}, expected {spec.dtype.name} {tuple(spec.shape)}"
            )
        inputs[key] = array[:BATCH]
    return inputs


def _line(error: Exception) -> str:
    """The first line of an error, and its type."""
    text = str(getattr(error, "message", "") or error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300] if text else ''}"
