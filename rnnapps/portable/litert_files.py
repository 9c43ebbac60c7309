"""LiteRT files (TensorFlow Lite), run in LiteRT before anybody sees them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.portable.lowering import lowered
from rnnapps.portable.parity import compare, unless_far
from rnnapps.portable.quiet import quiet
from rnnapps.portable.static import StaticGraph
from rnnapps.types import Array, Arrays, Tensor

__all__ = ["LiteRun", "write_litert"]

MISSING = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")


def write_litert(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    """Writes `<name>_<signature>.tflite`, and the same with weights of 8 bits (dynamic range quantisation).

    Args:
        static: a signature.
        folder: where the files are written.
        name: of the model.

    Raises:
        ExportError: an operation has no form in LiteRT, or the answers differ.
    """
    simple = lowered(static, narrow=True)
    path = folder / f"{name}_{static.name}.tflite"
    full, small = (_converted(simple, int8=int8) for int8 in (False, True))
    files = [_written(static, path, full, exact=True)]
    # A model of nothing but small matrices stays as it is: LiteRT leaves those of less than 1,024 weights alone.
    if len(small) >= len(full):
        return files
    return files + unless_far(lambda: _written(static, path.with_stem(f"{path.stem}_int8"), small, exact=False))


def _written(static: StaticGraph, path: Path, content: bytes, *, exact: bool) -> dict[str, Any]:
    run, kinds = LiteRun(content), {name: tensor.dtype.as_numpy_dtype for name, tensor in static.outputs.items()}

    def typed(inputs: Arrays) -> Mapping[str, Array]:
        found = run(inputs)
        return {name: found[name].astype(kind) for name, kind in kinds.items()}

    difference = compare(path.name, static, typed, exact=exact)
    path.write_bytes(content)
    return {"files": [path.name], "difference": difference, "bytes": len(content)}


class LiteRun:
    """A model in LiteRT; takes arrays of any types.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with quiet():  # the first one tells which delegate it has
            self._interpreter = Interpreter(model_content=content)
            self._interpreter.allocate_tensors()
            self._runner = self._interpreter.get_signature_runner()
        self._types = {name: own["dtype"] for name, own in self._runner.get_input_details().items()}

    def __call__(self, inputs: Arrays) -> Mapping[str, Array]:
        """The outputs by name."""
        given = {name: inputs[name].astype(kind, copy=False) for name, kind in self._types.items()}
        found: Mapping[str, Array] = self._runner(**given)
        return found


def _converted(static: StaticGraph, *, int8: bool) -> bytes:
    graph_def = static.graph.as_graph_def()
    names = [tensor.name for tensor in static.outputs.values()]

    def function(**inputs: Tensor) -> dict[str, Tensor]:
        results = tf.graph_util.import_graph_def(graph_def, input_map=inputs, return_elements=names, name="")
        return dict(zip(static.outputs, results, strict=True))

    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name=name) for name, tensor in static.inputs.items()}
    concrete = tf.function(function, autograph=False).get_concrete_function(**specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], tf.Module())
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    try:
        with quiet():
            content: bytes = converter.convert()
    except Exception as error:  # the converter raises a type of its own that it does not export
        missing = MISSING.search(str(error))
        said = f"it has no operation {missing[1]}" if missing else next(iter(str(error).strip().splitlines()), "")[:300]
        raise ExportError(
            f"signature {static.name!r} cannot become LiteRT: {said}; export --portable onnx or c instead"
        ) from error
    return content
