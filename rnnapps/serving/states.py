"""Which inputs of a signature carry states, which outputs they are taken from, and how they begin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnapps.serving.refusal import Code, Refusal
from rnnapps.serving.served_signature import ServedSignature, filler
from rnnapps.types import Arrays

__all__ = ["StateNames", "state_names"]

_STATE, _NEXT = "state_", "next_"


@dataclass(frozen=True)
class StateNames:
    """The states of a signature.

    Attributes:
        signature: whose they are.
        after: state input -> output that it is taken from next.
        first: state input -> array `(1, ...)` of a first message.
    """

    signature: ServedSignature
    after: dict[str, str]
    first: Arrays

    def zeros(self) -> Arrays:
        """The states of a first message."""
        return dict(self.first)

    def checked(self, states: Arrays) -> Arrays:
        """The states, if they are all there and of the right types and shapes; raises Refusal."""
        if set(states) != set(self.after):
            raise Refusal(Code.INVALID_ARGUMENT, f"states {sorted(states)} found, {sorted(self.after)} expected")
        for name, array in states.items():
            like = self.first[name]
            if array.dtype != like.dtype or array.shape != like.shape:
                told = f"{array.dtype} {list(array.shape)} found, {like.dtype} {list(like.shape)} expected"
                raise Refusal(Code.INVALID_ARGUMENT, f"state {name!r}: {told}")
        return dict(states)


def state_names(signature: ServedSignature, folder: Path) -> StateNames:
    """The states of a signature.

    Args:
        signature: its tensors.
        folder: the version folder.

    Raises:
        Refusal: it has none, or they have no fixed size.
    """
    after = {name: f"{_NEXT}{name}" for name in signature.inputs if name.startswith(_STATE)}
    if not after or not set(after.values()) <= set(signature.outputs):
        message = f"signature {signature.name!r} carries no states `state_*` to `next_state_*`; a stream needs them"
        raise Refusal(Code.INVALID_ARGUMENT, message)
    first = {}
    for name in after:
        kind = signature.inputs[name]
        if kind.open_axes:
            raise Refusal(Code.INVALID_ARGUMENT, f"state {name!r}: {kind} has no fixed size; a stream needs one")
        shape = (1, *(size for size in kind.shape[1:] if size is not None))
        first[name] = filler(shape, np.empty(0, kind.dtype))
    return StateNames(signature, after, first)
