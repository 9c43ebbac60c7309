"""Which operations an export may hold, as data: those of our exports, and those of servers in use.

`operations_used.txt` names the operations of the exports of every pipeline and cell (`python -m tests.export.traced`
writes it). `operations_core.txt` names all operations of TensorFlow with the first version of TensorFlow Serving that
has them, and whether they are pure: their outputs depend on their inputs only, and nothing else changes
(`python -m tests.export.core_operations` writes it).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "CONTROL_FLOW",
    "CORE",
    "FILE_OPERATIONS",
    "OLDEST_GRAPH",
    "USED",
    "CoreOperation",
    "added_attributes",
    "core",
    "pure",
    "used",
]

USED = Path(__file__).with_name("operations_used.txt")
CORE = Path(__file__).with_name("operations_core.txt")

OLDEST_GRAPH = 2129
"""TF_GRAPH_DEF_VERSION of TensorFlow 2.19: what the oldest server in use reads."""

CONTROL_FLOW = frozenset(
    [
        "Case",
        "If",
        "PartitionedCall",
        "StatefulPartitionedCall",
        "StatelessCase",
        "StatelessIf",
        "StatelessWhile",
        "While",
    ]
)
"""Operations that do nothing but call functions of the graph, which are judged themselves."""

FILE_OPERATIONS = frozenset({"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename"})
"""Operations that every SavedModel needs to save and restore its variables, and that nothing else may reach."""


@dataclass(frozen=True)
class CoreOperation:
    """What is known of an operation of TensorFlow.

    Attributes:
        since: the first of the listed versions of TensorFlow that has it.
        pure: whether it only computes.
    """

    since: str
    pure: bool


@functools.cache
def used() -> frozenset[str]:
    """Names of the operations of our own exports, and of calls of functions."""
    return frozenset(_lines(USED)) | CONTROL_FLOW


@functools.cache
def core() -> dict[str, CoreOperation]:
    """Every operation of TensorFlow by name."""
    rows = [line.split() for line in _lines(CORE)]
    return {name: CoreOperation(since, rest == ["pure"]) for name, since, *rest in rows if "." not in name}


@functools.cache
def pure() -> frozenset[str]:
    """Names of the operations that only compute, on every server in use."""
    return frozenset(name for name, operation in core().items() if operation.pure)


@functools.cache
def added_attributes() -> dict[tuple[str, str], str]:
    """(operation, attribute) -> the version of TensorFlow that added it, for those that 2.19 does not know."""
    rows = [line.split() for line in _lines(CORE)]
    return {tuple(name.split(".")): since for name, since, *_ in rows if "." in name}  # type: ignore[misc]


def _lines(path: Path) -> list[str]:
    """The rows of a list, without comments."""
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
