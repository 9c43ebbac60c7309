"""Options of nodes that could do what no operation does: call what is not there, run elsewhere, name files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from rnnapps.export.dtypes import TYPE_NAMES
from rnnapps.export.graph import nodes_of

if TYPE_CHECKING:
    from tensorflow.core.framework.attr_value_pb2 import AttrValue
    from tensorflow.core.framework.graph_pb2 import GraphDef
    from tensorflow.core.framework.tensor_pb2 import TensorProto

__all__ = ["option_failures"]

_DEVICE = re.compile(r"((/job:localhost)?(/replica:0)?(/task:0)?/device:(CPU|GPU):(\d+|\*))?")
# What tracing and saving note at nodes; other hidden attributes steer the optimizer or other back ends.
_HIDDEN = frozenset(
    [
        "_XlaCompile",
        "_XlaMustCompile",
        "_class",
        "_collective_manager_ids",
        "_construction_context",
        "_gradient_op_type",
        "_has_manual_control_dependencies",
        "_input_shapes",
        "_lower_using_switch_merge",
        "_noinline",
        "_num_original_outputs",
        "_output_shapes",
        "_read_only_resource_inputs",
        "_stateful_parallelism",
        "_tf_data_function",
        "_user_specified_name",
    ]
)
_PATTERNS = frozenset({"equation", "pattern", "rewrite", "separator"})
"""Attributes of text that is never a path."""
_HANDLES = (20, 21)  # DT_RESOURCE, DT_VARIANT
_MOST_ELEMENTS = 2**28
_PATH = re.compile(rb"\s*(/|~|\.\./|\w+://|\w:\\).*", re.DOTALL)
_SESSION_OPTIONS = frozenset(
    [
        "allow_soft_placement",
        "device_count",
        "experimental",
        "gpu_options",
        "inter_op_parallelism_threads",
        "intra_op_parallelism_threads",
        "pluggable_device_options",
    ]
)


def option_failures(graph: GraphDef) -> Iterator[str]:
    """Yields a line for every node whose device, attributes or called functions are none of our exports."""
    functions = {function.signature.name for function in graph.library.function}
    for function in graph.library.function:
        for name in set(function.attr) - _HIDDEN:
            yield f"function {function.signature.name}: attribute {name} is in none of our exports"
    for node in nodes_of(graph):
        if not _DEVICE.fullmatch(node.device):
            yield f"{node.name}: runs on the device {node.device!r}; export the model for one machine"
        for name, value in node.attr.items():
            problem = _problem(name, value, functions)
            if problem:
                yield f"{node.name}, attribute {name}: {problem}"


def _problem(name: str, value: AttrValue, functions: set[str]) -> str:
    """What is wrong with an attribute, or nothing."""
    if name.startswith("_") and name not in _HIDDEN:
        return "is in none of our exports"
    called = [item.name for item in (*([value.func] if value.HasField("func") else []), *value.list.func)]
    # A branch that is no function of the graph would be looked up among TensorFlow's operations.
    missing = [item for item in called if item not in functions]
    if missing:
        return f"calls {missing[0]!r}, which is no function of the graph"
    if value.HasField("tensor"):
        return _tensor_problem(value.tensor)
    if name == "config_proto":
        return _session_problem(value.s)
    if name == "executor_type" and value.s:
        return f"asks for the executor {value.s!r}"
    if name not in _PATTERNS and any(_PATH.fullmatch(text) for text in (value.s, *value.list.s)):
        return f"names a file, {next(text for text in (value.s, *value.list.s) if _PATH.fullmatch(text))!r}"
    return ""


def _tensor_problem(tensor: TensorProto) -> str:
    """What is wrong with a constant, or nothing: a few bytes can stand for any number of equal elements."""
    if tensor.dtype in _HANDLES:
        return f"is a {TYPE_NAMES[tensor.dtype]} instead of values"
    elements = math.prod(dimension.size for dimension in tensor.tensor_shape.dim)
    return f"has {elements} elements" if elements > _MOST_ELEMENTS else ""


def _session_problem(content: bytes) -> str:
    """What a call asks of its session beyond numbers of threads and devices."""
    from tensorflow.core.protobuf import config_pb2

    try:
        options = config_pb2.ConfigProto.FromString(content)
    except DecodeError:
        return "holds no options of a session"
    named = {field.name for field, _ in options.ListFields()} - _SESSION_OPTIONS
    if options.experimental.ListFields():
        named.add("experimental")
    return f"sets {', '.join(sorted(named))} of the session" if named else ""
