"""Files of a model for other runtimes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.leaving import SIGNATURES, STEP
from rnnapps.portable.listing import write_listing
from rnnapps.portable.numbered import numbered
from rnnapps.portable.static import NEXT, StaticGraph, static_graph
from rnnapps.types import Tensor

__all__ = ["default_steps", "leaving", "next_graph", "write_portable"]


def write_portable(
    endpoints: Mapping[str, Endpoint], folder: Path, name: str, *, formats: Sequence[str], steps: int | None = None
) -> None:
    """Writes a folder for each format, and `portable.json`, which says what each file holds and costs.

    Args:
        endpoints: signature name -> endpoint.
        folder: made new.
        name: of the model.
        formats: some of `FORMATS`.
        steps: places of every input of variable length; by default one for a step, and for others as many as their
            examples have; see `next_graph`.

    Raises:
        ExportError: a signature cannot leave TensorFlow, or a file answers otherwise than the model.
    """
    signatures: dict[str, Any] = {}
    graphs: dict[str, StaticGraph] = {}
    for signature, endpoint in leaving(endpoints).items():
        chosen = [own for own in formats if FORMATS[own].takes(signature)]
        if not chosen:
            continue
        graphs[signature] = static = next_graph(signature, endpoint, steps, graphs)
        entry = signatures[signature] = {**_described(static, endpoint), "files": []}
        for own in chosen:
            (folder / own).mkdir(parents=True, exist_ok=True)
            print(f"{signature} as {own}: written, then run beside the model", file=sys.stderr)
            files = FORMATS[own].write(static, folder / own, _prefix(name))
            entry["files"] += [{"format": own, **file} for file in files]
    if not signatures:
        needed = " or ".join(sorted({own for name in formats for own in FORMATS[name].signatures}))
        has = ", ".join(endpoints)
        raise ExportError(f"this model has no signature {needed}, which these formats take; it has {has}")
    write_listing(folder, signatures)


def leaving(endpoints: Mapping[str, Endpoint]) -> dict[str, Endpoint]:
    """The endpoints that files are made of: those of `SIGNATURES`, and the one that a step begins with."""
    begins = endpoints[STEP].begins if STEP in endpoints else ""
    names = [name for name in (begins, *SIGNATURES) if name in endpoints]
    return {name: numbered(endpoints[name].elsewhere or endpoints[name]) for name in names}


def next_graph(signature: str, endpoint: Endpoint, steps: int | None, graphs: Mapping[str, StaticGraph]) -> StaticGraph:
    """The graph of a signature.

    Args:
        signature: its name.
        endpoint: from `leaving`.
        steps: places of inputs of variable length, see `write_portable`; where a step begins with the answer of another
            signature they are that one's, and a chunk of the step has one place.
        graphs: of the signatures before it.

    Raises:
        ExportError: it cannot leave TensorFlow.
    """
    begun = graphs.get(endpoint.begins)
    if signature == STEP and begun is not None:
        endpoint, steps = _going_on(endpoint, begun), None
    return static_graph(signature, endpoint, steps or default_steps(signature, endpoint))


def _going_on(endpoint: Endpoint, begun: StaticGraph) -> Endpoint:
    """A step whose examples begin with what another signature answered to its own."""
    after = {name: f"{NEXT}{name}" for name in endpoint.input_signature if f"{NEXT}{name}" in begun.outputs}
    states = {name: np.concatenate([case.outputs[own] for case in begun.cases]) for name, own in after.items()}
    examples = endpoint.examples | states
    rows = min(map(len, examples.values()))
    return replace(endpoint, examples={name: array[:rows] for name, array in examples.items()})


def default_steps(signature: str, endpoint: Endpoint) -> int:
    """Places of inputs of variable length, where nothing else is said: see `Endpoint.chunk`."""
    if endpoint.chunk or signature == STEP:
        return endpoint.chunk or 1
    sizes = [
        endpoint.examples[name].shape[axis]
        for name, spec in endpoint.input_signature.items()
        for axis, size in enumerate(spec.shape)
        if axis and size is None
    ]
    return max(sizes, default=1)


def _described(static: StaticGraph, endpoint: Endpoint) -> dict[str, Any]:
    """Inputs, outputs and states of a signature in these files."""

    def entries(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        return {
            name: {"dtype": value.dtype.name, "shape": value.shape.as_list(), "meaning": endpoint.meaning(name)}
            for name, value in tensors.items()
        }

    words = {name: columns for name, columns in endpoint.words.items() if name in static.inputs}
    return {
        "summary": endpoint.summary,
        "inputs": entries(static.inputs),
        "outputs": entries(static.outputs),
        "states": dict(static.states),
        "first": {name: value.ravel().tolist() for name, value in static.first.items() if value.any()},
        "begins": endpoint.begins,
        "words": {name: [list(own) for own in columns] for name, columns in words.items()},
    }


def _prefix(name: str) -> str:
    """The name of a model as an identifier of C."""
    text = re.sub(r"\W", "_", name, flags=re.ASCII)
    return text if text[:1].isalpha() else f"model_{text}"
