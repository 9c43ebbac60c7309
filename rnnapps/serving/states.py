"""Which inputs of a signature carry states, which outputs they are taken from, and how they begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnapps.contract.served import ServedSignature as Told
from rnnapps.contract.tensor_names import STATE, next_state
from rnnapps.export.arrays import as_array
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, TensorKind, filler
from rnnapps.types import Array, Arrays

__all__ = ["StateNames", "state_names"]


@dataclass(frozen=True)
class StateNames:
    """The states of a signature.

    Attributes:
        signature: whose they are.
        after: state input -> output that it is taken from next.
        first: state input -> array `(1, ...)` of a first message; empty where another signature makes them.
        begins: that signature; empty where there is none.
        defaults: other input -> array `(1,)` of what is sent where a message says nothing.
    """

    signature: ServedSignature
    after: dict[str, str]
    first: Arrays
    begins: str
    defaults: Arrays

    def zeros(self) -> Arrays:
        """The states of a first message."""
        return dict(self.first)

    def taken(self, outputs: Arrays) -> Arrays:
        """The states that an answer holds: copies, as what came shares the memory of its whole batch."""
        return {state: outputs[after].copy() for state, after in self.after.items()}

    def checked(self, states: Arrays) -> Arrays:
        """The states, if they are all there and of the right types and shapes; raises Refusal."""
        if set(states) != set(self.after):
            raise Refusal(Code.INVALID_ARGUMENT, f"states {sorted(states)} found, {sorted(self.after)} expected")
        for name, array in states.items():
            kind = self.signature.inputs[name]
            if not kind.fits(array) or len(array) != 1:
                found = TensorKind(array.dtype, array.shape)
                raise Refusal(Code.INVALID_ARGUMENT, f"state {name!r}: {found} found, one row of {kind} expected")
        return dict(states)


def state_names(signature: ServedSignature, told: Told | None) -> StateNames:
    """The states of a signature.

    Args:
        signature: its tensors.
        told: what the export says of it in words; None where it says nothing.

    Raises:
        Refusal: it has none, or nothing says how those of no fixed size begin.
    """
    after = {name: next_state(name) for name in signature.inputs if name.startswith(STATE)}
    if not after or not set(after.values()) <= set(signature.outputs):
        message = f"signature {signature.name!r} carries no states `state_*` to `next_state_*`; a stream needs them"
        raise Refusal(Code.INVALID_ARGUMENT, message)
    begins = told.begins if told else ""
    first = {} if begins else {name: _first(name, signature.inputs[name], _zero(told, name)) for name in after}
    return StateNames(signature, after, first, begins, _defaults(signature, told))


def _first(name: str, kind: TensorKind, zero: Any) -> Array:
    """One row of a state's first values."""
    if kind.open_axes:
        raise Refusal(Code.INVALID_ARGUMENT, f"state {name!r}: {kind} has no fixed size; a stream needs one")
    shape = (1, *(size for size in kind.shape[1:] if size is not None))
    if zero is None:
        return filler(shape, np.empty(0, kind.dtype))
    return np.broadcast_to(as_array(np.asarray(zero)).astype(kind.dtype), shape).copy()


def _zero(told: Told | None, name: str) -> Any:
    return told.inputs[name].zero if told and name in told.inputs else None


def _defaults(signature: ServedSignature, told: Told | None) -> Arrays:
    """What the export says is sent where a user says nothing."""
    inputs: Mapping[str, Any] = told.inputs if told else {}
    return {
        name: as_array(np.asarray([tensor.default])).astype(signature.inputs[name].dtype)
        for name, tensor in inputs.items()
        if tensor.default is not None and name in signature.inputs and signature.inputs[name].shape == (None,)
    }
