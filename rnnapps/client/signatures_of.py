"""What TensorFlow Serving's metadata tell of signatures: types, shapes, and by their names the states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnapps.contract.served import ServedSignature, ServedTensor, Signatures
from rnnapps.contract.tensor_names import STATE, next_state

__all__ = ["signatures_of"]

_TYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}


def signatures_of(model: str, metadata: Mapping[str, Any]) -> Signatures:
    """The signatures of a model, without what only its export knows: meanings, limits, defaults.

    Args:
        model: its name.
        metadata: a SignatureDefMap as JSON.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is nothing of that kind.
    """
    found = {
        name: _signature(definition)
        for name, definition in metadata["signature_def"].items()
        if not name.startswith("__")  # TensorFlow's own, such as the operation that initialises
    }
    return Signatures(model, "", found)


def _signature(definition: Mapping[str, Any]) -> ServedSignature:
    inputs, outputs = definition.get("inputs") or {}, definition.get("outputs") or {}
    return ServedSignature(
        "",
        {
            name: _tensor(tensor, next_state(name) if _is_state(name, outputs) else "")
            for name, tensor in inputs.items()
        },
        {name: _tensor(tensor) for name, tensor in outputs.items()},
    )


def _is_state(name: str, outputs: Mapping[str, Any]) -> bool:
    return name.startswith(STATE) and next_state(name) in outputs


def _tensor(tensor: Mapping[str, Any], after: str = "") -> ServedTensor:
    sizes = [int(dimension.get("size", 0)) for dimension in tensor["tensor_shape"].get("dim", [])]
    dtype = str(tensor["dtype"])
    kind = _TYPES.get(dtype, dtype.removeprefix("DT_").lower())
    return ServedTensor(kind, [None if size < 0 else size for size in sizes], next=after)
