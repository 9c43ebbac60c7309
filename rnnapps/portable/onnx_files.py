"""ONNX files, run in ONNX Runtime before anybody sees them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnapps.errors import ExportError
from rnnapps.layers.native import MARKER
from rnnapps.portable.lowering import lowered
from rnnapps.portable.onnx_recurrence import write_recurrence
from rnnapps.portable.parity import compare
from rnnapps.portable.quiet import quiet
from rnnapps.portable.static import StaticGraph
from rnnapps.types import Array, Arrays

__all__ = ["OPSET", "OnnxRun", "write_onnx"]

OPSET = 17
"""Version of ONNX's operations: that of ONNX 1.12 (2022), which every runtime in use reads."""


def write_onnx(static: StaticGraph, folder: Path, name: str) -> list[dict[str, Any]]:
    """Writes `<name>_<signature>.onnx`.

    Args:
        static: a signature.
        folder: where the file is written.
        name: of the model.

    Raises:
        ExportError: an operation has no form in ONNX, or the answers differ.
    """
    file = f"{name}_{static.name}.onnx"
    if static.native is not None:
        with contextlib.suppress(ExportError):  # a mask that is not that of a row's first places: written out, then
            return _written(static.native(), folder / file)
    return _written(static, folder / file)


def _written(static: StaticGraph, path: Path) -> list[dict[str, Any]]:
    content = _converted(lowered(static))
    difference = compare(path.name, static, OnnxRun(content))
    path.write_bytes(content)
    return [{"files": [path.name], "difference": difference, "bytes": len(content), "opset": OPSET}]


class OnnxRun:
    """A model in ONNX Runtime.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # One row is too little work for several threads, which would wait for it in a busy loop.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the package raises types of its own that it does not export
            raise ExportError(f"ONNX Runtime refuses the model: {str(error).splitlines()[0][:300]}") from error
        self._inputs = {own.name for own in self._session.get_inputs()}
        self._outputs = [own.name for own in self._session.get_outputs()]

    def __call__(self, inputs: Arrays) -> Mapping[str, Array]:
        """The outputs by name."""
        given = {name: value for name, value in inputs.items() if name in self._inputs}
        return dict(zip(self._outputs, self._session.run(self._outputs, given), strict=True))


def _choice(graph: Any, node: Any, *_: object) -> None:
    """`SelectV2` as `Where`: the converter multiplies by 0 what is not chosen, and 0 times infinity is no number."""
    from onnx import TensorProto
    from tf2onnx.onnx_opset.controlflow import Select

    if graph.get_dtype(node.output[0]) == TensorProto.BOOL:  # of which ONNX Runtime has no `Where`
        Select.version_7(graph, node)
    else:
        node.type = "Where"


def _converted(static: StaticGraph) -> bytes:
    """The graph as ONNX, its inputs and outputs named as in the signature."""
    import tf2onnx

    names = {tensor.name: name for own in (static.inputs, static.outputs) for name, tensor in own.items()}
    with quiet():
        model, _ = tf2onnx.convert.from_graph_def(
            static.graph.as_graph_def(),
            name=static.name,
            input_names=[tensor.name for tensor in static.inputs.values()],
            output_names=[tensor.name for tensor in static.outputs.values()],
            opset=OPSET,
            custom_op_handlers={"SelectV2": (_choice, []), MARKER: (write_recurrence, [])},
        )
    for node in model.graph.node:
        for field in (node.input, node.output):
            field[:] = [names.get(own, own) for own in field]
    # A result that no input changes is an initializer.
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.name = names.get(value.name, value.name)
    del model.graph.value_info[:]
    content: bytes = model.SerializeToString(deterministic=True)
    return content
