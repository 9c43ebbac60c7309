"""What flows through this package, by name. For annotations only: nothing is imported at run time.

A signature says what a tensor is by one of these names, and its docstring gives the shape in words,
`(batch, time, features)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
    Tensor: TypeAlias = tf.Tensor
    Tensors: TypeAlias = list[tf.Tensor]
    NamedTensors: TypeAlias = Mapping[str, tf.Tensor]
else:
    Array = Tensor = Tensors = NamedTensors = Any

__all__ = ["Array", "NamedTensors", "Tensor", "Tensors"]
