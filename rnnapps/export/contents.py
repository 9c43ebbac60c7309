"""Files of an export by what is in them: whoever rewrites a file can rewrite its sum in the manifest as well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays
from rnnapps.export.artefact import CONFIG, PREPROCESSING
from rnnapps.export.batching_settings import BATCHING, batching_failures
from rnnapps.export.checks import Check, check
from rnnapps.export.graph import FINGERPRINT
from rnnapps.export.manifest import ENSEMBLE, EXTRA

if TYPE_CHECKING:
    from tensorflow.core.framework.graph_pb2 import GraphDef

    from rnnapps.types import Array

__all__ = ["contents_check", "fingerprint_check", "variable_readers", "weight_failures"]

_LARGEST_TEXT = 64 * 1024**2
_LARGEST_FINGERPRINT = 64 * 1024


def contents_check(folder: Path) -> Check:
    """The files that a person or a preprocessor reads: settings of batching, configuration, vocabularies.

    Args:
        folder: the version folder.
    """
    return check("contents", _text_failures(folder), "settings and vocabularies can be read")


def fingerprint_check(folder: Path) -> Check:
    """Whether `fingerprint.pb` is one; its sums are TensorFlow's own, and no loader compares them."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import fingerprint_pb2

    path = folder / FINGERPRINT
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST_FINGERPRINT else b"\xff"
        known = fingerprint_pb2.FingerprintDef.FromString(content)
        failures = [] if known.saved_model_checksum else [f"{path.name}: holds no sums; export the model again"]
    except OSError as error:
        failures = [f"{path.name}: cannot be read ({error.strerror}); export the model again"]
    except DecodeError:
        failures = [f"{path.name}: not a fingerprint of a SavedModel; export the model again"]
    return check("fingerprint", failures, "a fingerprint of a SavedModel")


def variable_readers(graph: GraphDef) -> dict[str, str]:
    """Path of each variable -> the tensor that reads it."""
    variables = {node.name: node.attr["shared_name"].s.decode() for node in graph.node if node.op == "VarHandleOp"}
    return {
        variables[node.input[0]]: f"{node.name}:0"
        for node in graph.node
        if node.op == "ReadVariableOp" and node.input[0] in variables
    }


def weight_failures(weights: Arrays, variables: Mapping[str, Array]) -> Iterator[str]:
    """Yields a line for each weight that fine-tuning would start from and that is not what is served.

    Args:
        weights: path -> array, of the file of weights.
        variables: path -> array, of the graph.
    """
    for name in sorted(weights):
        if name not in variables:
            yield f"weights.npz, {name}: the graph has no such variable; export the model again"
        elif weights[name].shape != variables[name].shape or weights[name].tobytes() != variables[name].tobytes():
            yield f"weights.npz, {name}: differs from the variable that is served; export the model again"


def _text_failures(folder: Path) -> Iterator[str]:
    yield from _read(folder / BATCHING, batching_failures)
    yield from _read(folder / EXTRA / CONFIG, _yaml_failures)
    for path in [*(folder / EXTRA).glob(ENSEMBLE), *sorted((folder / EXTRA / PREPROCESSING).rglob("*.json"))]:
        yield from _read(path, _json_failures)


def _read(path: Path, judge: Callable[[str], Iterator[str]]) -> Iterator[str]:
    """The failures of one text file, each behind its name."""
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise ExportError(f"larger than {_LARGEST_TEXT >> 20} MiB")
        failures = list(judge(path.read_text(encoding="utf-8")))
    except OSError as error:
        failures = [f"cannot be read ({error.strerror})"]
    except UnicodeDecodeError:
        failures = ["is not UTF-8"]
    except ExportError as error:
        failures = [str(error)]
    return (f"{path.name}: {line}; export the model again" for line in failures)


def _yaml_failures(text: str) -> Iterator[str]:
    import yaml

    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        yield f"not YAML ({getattr(error, 'problem', None) or type(error).__name__})"
    else:
        if root is not None and not isinstance(root, yaml.MappingNode):
            yield "holds no `key: value` lines"


def _json_failures(text: str) -> Iterator[str]:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"not valid JSON ({error})"
