"""What flows through this package, by name. For annotations only: nothing is imported at run time.

A signature says what a tensor is by one of these names, and its docstring gives the shape in words,
`(batch, time, features)`.

- `Array`: a NumPy array; `Arrays` several by name; `ArrayLike` what NumPy makes one of, such as nested lists.
- `Tensor`: a TensorFlow tensor, or what TensorFlow takes as one: a Keras tensor, a variable, an array.
- `Tensors`: several in a fixed order, such as the states of a cell; `NamedTensors` several by name.
- `Nest`: what `tf.nest` takes: a tensor, or a tuple, list or dict of nests. A type checker cannot tell which it is.
- `Size`: a number of rows or steps: an int where it is known before anything runs, else an int32 scalar tensor.
- `Initializer`: what `keras.initializers.get` takes; `Activation` what `keras.activations.get` takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import tensorflow as tf

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
    Arrays: TypeAlias = dict[str, Array]
    ArrayLike: TypeAlias = npt.ArrayLike
    Tensor: TypeAlias = tf.Tensor
    Tensors: TypeAlias = list[Tensor]
    NamedTensors: TypeAlias = Mapping[str, Tensor]
    Nest: TypeAlias = Any
    Size: TypeAlias = int | Tensor
    Initializer: TypeAlias = str | Mapping[str, Any] | Callable[..., Tensor]
    Activation: TypeAlias = str | Mapping[str, Any] | Callable[[Tensor], Tensor] | None
else:
    Array = Arrays = ArrayLike = Tensor = Tensors = NamedTensors = Nest = Size = Initializer = Activation = Any

__all__ = [
    "Activation",
    "Array",
    "ArrayLike",
    "Arrays",
    "Initializer",
    "NamedTensors",
    "Nest",
    "Size",
    "Tensor",
    "Tensors",
]
