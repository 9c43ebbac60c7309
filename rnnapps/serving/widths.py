"""How wide the answers of a row are, learned from the stored examples while a model is loaded.

Rows of several clients run in one batch, whose answers are as wide as its widest row asks for. Each client is to get
what its rows give alone. So each open dimension of an output is looked at in the examples, row by row and with padding:
does it follow an input, is it the largest of a count, or does the shape of the inputs alone decide it? What nothing
explains stays `unknown`, and such a signature gathers no rows of others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays
from rnnapps.export.stored_examples import load_example
from rnnapps.serving.served_signature import ServedSignature, Width, padded

if TYPE_CHECKING:
    from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

__all__ = ["learn_widths", "widths_of"]

_PADDING = 3  # beside the length itself: a stride of the model must not hide it


class _Runs(Protocol):
    """What runs a signature on named arrays."""

    def run(self, signature: str, inputs: Arrays, /) -> Arrays:
        """Returns the outputs; raises ExportError."""


@dataclass(frozen=True)
class _Trial:
    """Some rows, and what they give."""

    inputs: Arrays
    outputs: Arrays

    def tensor(self, by: str) -> Any:
        side, _, name = by.partition("/")
        return (self.inputs if side == "inputs" else self.outputs)[name]


def learn_widths(model: _Runs, folder: Path, graph: MetaGraphDef) -> dict[str, list[dict[str, Any]]]:
    """Signature -> the widths of its open outputs, as plain values.

    Args:
        model: the loaded export.
        folder: its version folder, with the examples.
        graph: its graph, with the signatures.
    """
    found = {}
    for name, definition in graph.signature_def.items():
        if not name.startswith("__"):
            signature = ServedSignature.of(name, definition)
            found[name] = [asdict(width) for width in widths_of(model, signature, _examples(folder, name))]
    return found


def widths_of(model: _Runs, signature: ServedSignature, examples: Arrays) -> list[Width]:
    """The widths of one signature.

    Args:
        model: runs it.
        signature: its tensors.
        examples: rows of valid inputs; empty where there are none.
    """
    places = [(name, axis) for name, kind in sorted(signature.outputs.items()) for axis in kind.open_axes]
    if not places:
        return []
    try:
        alone = [_tried(model, signature, row) for row in _rows(examples)]
        longer = [
            _tried(model, signature, _lengthened(trial.inputs, name))
            for trial in alone[:1]
            for name in signature.lengths
        ]
    except ExportError:
        alone = longer = []
    return [_width(signature, place, alone, longer) for place in places]


def _examples(folder: Path, signature: str) -> Arrays:
    try:
        return load_example(folder, signature).inputs
    except ExportError:
        return {}


def _tried(model: _Runs, signature: ServedSignature, inputs: Arrays) -> _Trial:
    return _Trial(inputs, model.run(signature.name, inputs))


def _rows(examples: Arrays) -> list[Arrays]:
    """Each row of some examples as a request of its own."""
    count = len(next(iter(examples.values()), ()))
    return [{name: array[row : row + 1] for name, array in examples.items()} for row in range(count)]


def _lengthened(inputs: Arrays, name: str) -> Arrays:
    """The same rows with padding behind one of the inputs that may have some."""
    array = inputs[name]
    return {**inputs, name: padded(array, (len(array), 2 * array.shape[1] + _PADDING, *array.shape[2:]))}


def _width(signature: ServedSignature, place: tuple[str, int], alone: list[_Trial], longer: list[_Trial]) -> Width:
    """The first explanation that holds in every trial."""
    output, axis = place
    sizes = [trial.outputs[output].shape[axis] for trial in alone]
    stretched = [trial.outputs[output].shape[axis] for trial in longer]
    if len(sizes) < 2:
        return Width(output, axis, "unknown")
    for by, plus in _explanations(signature, alone, sizes):
        width = Width(output, axis, *by, plus)
        if all(
            width.of(trial.inputs, trial.outputs) == size
            for trial, size in zip([*alone, *longer], [*sizes, *stretched], strict=True)
        ):
            return width
    counts = {tuple(trial.inputs[count].tolist()) for trial in alone for count in set(signature.lengths.values())}
    decided = len(set(sizes)) == 1 and len(counts) > 1
    return Width(output, axis, "shape" if decided else "unknown")


def _explanations(
    signature: ServedSignature, alone: list[_Trial], sizes: list[int]
) -> Iterator[tuple[tuple[Any, str], int]]:
    """What might say how wide an output is, each with what it would add; counts only where they differ."""
    for name in signature.lengths:
        yield ("follows", f"inputs/{name}"), sizes[0] - alone[0].inputs[name].shape[1]
    counts = [
        f"{side}/{name}"
        for side, kinds in (("outputs", signature.outputs), ("inputs", signature.inputs))
        for name, kind in sorted(kinds.items())
        if kind.shape == (None,) and kind.dtype.kind == "i"
    ]
    for by in counts:
        values = [int(trial.tensor(by)[0]) for trial in alone]
        if len(set(values)) > 1:
            yield ("counted", by), sizes[0] - values[0]
