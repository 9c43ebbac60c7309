"""What the server knows of a signature: its tensors, which of them may be padded, and how wide answers are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rnnapps.contract.tensor_names import LENGTHS, STATE, STEPS
from rnnapps.export.dtypes import DT_STRING, NUMPY_TYPES
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.types import Array, Arrays

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

__all__ = ["ServedSignature", "TensorKind", "Width", "filler", "padded"]


@dataclass(frozen=True)
class TensorKind:
    """Type and shape of an input or output.

    Attributes:
        dtype: of NumPy; that of objects for strings.
        shape: size of each dimension, the batch first; None for any.
    """

    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    @cached_property
    def open_axes(self) -> tuple[int, ...]:
        """The dimensions of any size, but for the batch."""
        return tuple(axis for axis, size in enumerate(self.shape) if axis and size is None)

    def fits(self, array: Array) -> bool:
        """Whether an array is of this type and shape."""
        sizes = zip(self.shape, array.shape, strict=False)
        same = array.ndim == len(self.shape) and all(size in (None, found) for size, found in sizes)
        return same and array.dtype == self.dtype

    def __str__(self) -> str:
        name = "string" if self.dtype == object else self.dtype.name
        return f"{name} [{', '.join('?' if size is None else str(size) for size in self.shape)}]"


@dataclass(frozen=True)
class Width:
    """How long one open dimension of an output is, whoever else is in the batch.

    Attributes:
        output: its name.
        axis: the dimension.
        kind: `follows` the second dimension of an input; `counted` by the largest of an input or output of integers;
            set by the `shape` of the inputs alone; `unknown`: it may depend on anything.
        by: the input or output, `inputs/NAME` or `outputs/NAME`.
        plus: what is added to it.
    """

    output: str
    axis: int
    kind: Literal["follows", "counted", "shape", "unknown"]
    by: str = ""
    plus: int = 0

    def of(self, inputs: Arrays, outputs: Arrays) -> int | None:
        """The size for some rows of their own; None where it is as it came."""
        if self.kind not in ("follows", "counted"):
            return None
        side, _, name = self.by.partition("/")
        array = (inputs if side == "inputs" else outputs)[name]
        return self.plus + (array.shape[1] if self.kind == "follows" else max(array.tolist(), default=0))


@dataclass(frozen=True)
class ServedSignature:
    """A signature.

    Attributes:
        name: of the signature.
        inputs: name -> kind.
        outputs: name -> kind.
        widths: of every open dimension of the outputs.
    """

    name: str
    inputs: dict[str, TensorKind]
    outputs: dict[str, TensorKind]
    widths: tuple[Width, ...] = field(default=())

    @classmethod
    def of(cls, name: str, definition: SignatureDef, widths: Iterable[Mapping[str, Any]] = ()) -> ServedSignature:
        """The signature of a graph; raises KeyError for a type that is not served."""
        inputs = {key: _kind(tensor) for key, tensor in definition.inputs.items()}
        outputs = {key: _kind(tensor) for key, tensor in definition.outputs.items()}
        return cls(name, inputs, outputs, tuple(Width(**width) for width in widths))

    @cached_property
    def lengths(self) -> dict[str, str]:
        """Input that may be padded along its second dimension -> input that counts its items."""
        found = {}
        for name, kind in self.inputs.items():
            general = f"{STATE}{LENGTHS}" if name.startswith(STATE) else LENGTHS
            counts = next((key for key in (f"{name}_{LENGTHS}", general) if key in self.inputs), None)
            if 1 in kind.open_axes and counts and self.inputs[counts].shape == (None,):
                found[name] = counts
        return found

    @cached_property
    def amounts(self) -> tuple[str, ...]:
        """The inputs that say how much is wanted of a row."""
        return (STEPS,) if STEPS in self.inputs and self.inputs[STEPS].shape == (None,) else ()

    def with_lengths(self, inputs: Arrays) -> Arrays:
        """The inputs, and where they lack the count of another's items, all of its items."""
        result = dict(inputs)
        for name, counts in self.lengths.items():
            if name in inputs and counts not in result and inputs[name].ndim > 1:
                result[counts] = np.full(len(inputs[name]), inputs[name].shape[1], self.inputs[counts].dtype)
        return result

    def rows(self, inputs: Arrays) -> int:
        """Checks a request, and returns how many rows it has.

        Raises:
            Refusal: an input is missing, unknown, or of another type or shape, or the numbers of rows differ.
        """
        if set(inputs) != set(self.inputs):
            wrong = f"inputs {sorted(inputs)} found, {sorted(self.inputs)} expected"
            raise Refusal(Code.INVALID_ARGUMENT, f"signature {self.name!r}: {wrong}")
        for name, array in inputs.items():
            kind = self.inputs[name]
            if not kind.fits(array):
                found = TensorKind(array.dtype, array.shape)
                wrong = f"signature {self.name!r}, input {name!r}: {found} found, {kind} expected"
                raise Refusal(Code.INVALID_ARGUMENT, wrong)
        sizes = {name: len(array) for name, array in inputs.items()}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{size} of {name!r}" for name, size in sorted(sizes.items()))
            raise Refusal(Code.INVALID_ARGUMENT, f"signature {self.name!r}: the numbers of rows differ: {told}")
        return next(iter(sizes.values()), 0)


def _kind(tensor: TensorInfo) -> TensorKind:
    shape = tuple(None if size.size < 0 else size.size for size in tensor.tensor_shape.dim)
    return TensorKind(np.dtype(object) if tensor.dtype == DT_STRING else NUMPY_TYPES[tensor.dtype], shape)


def filler(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros or empty strings."""
    return np.full(shape, b"", dtype=object) if like.dtype == object else np.zeros(shape, like.dtype)


def padded(array: Array, shape: tuple[int, ...]) -> Array:
    """The array in the corner of a larger one, of zeros or empty strings."""
    if array.shape == shape:
        return array
    result = filler(shape, array)
    result[tuple(slice(size) for size in array.shape)] = array
    return result
