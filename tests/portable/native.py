"""Functions of tensors as C programs that run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from rnnapps.contract.endpoint import Endpoint
from rnnapps.portable.c.compiler import compile_graph
from rnnapps.portable.c.native import NativeStep, compile_library
from rnnapps.portable.c.source import Sources, sources
from rnnapps.portable.static import StaticGraph, static_graph


def endpoint_of(function: Any, examples: dict[str, np.ndarray]) -> Endpoint:
    """An endpoint of inputs whose sizes, the batch apart, are those of their examples."""
    signature = {name: tf.TensorSpec((None, *array.shape[1:]), array.dtype) for name, array in examples.items()}
    return Endpoint(function, signature, examples)


def native(static: StaticGraph, folder: Path, *, int8: bool = False) -> tuple[NativeStep, Sources]:
    """A graph compiled by the machine's compiler, with warnings as errors."""
    folder.mkdir(exist_ok=True)
    compiled = compile_graph(static, int8=int8)
    texts = sources(compiled, "program", "a program")
    return NativeStep(compile_library(texts, folder), compiled, "program", texts.figures.work), texts


def native_of(function: Any, examples: dict[str, np.ndarray], folder: Path) -> tuple[NativeStep, StaticGraph]:
    """The same of a function."""
    static = static_graph("step", endpoint_of(function, examples), 1)
    return native(static, folder)[0], static
