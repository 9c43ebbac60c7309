"""Files of a model for other runtimes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnapps.contract.endpoint import Endpoint
from rnnapps.errors import ExportError
from rnnapps.portable.formats import FORMATS
from rnnapps.portable.leaving import SIGNATURES, STEP
from rnnapps.portable.listing import write_listing
from rnnapps.portable.static import StaticGraph, static_graph
from rnnapps.types import Tensor

__all__ = ["default_steps", "write_portable"]


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
            examples have.

    Raises:
        ExportError: a signature cannot leave TensorFlow, or a file answers otherwise than the model.
    """
    signatures: dict[str, Any] = {}
    for signature in SIGNATURES:
        chosen = [own for own in formats if signature in FORMATS[own].signatures]
        if signature not in endpoints or not chosen:
            continue
        places = steps or default_steps(signature, endpoints[signature])
        static = static_graph(signature, endpoints[signature], places)
        entry = signatures[signature] = {"summary": endpoints[signature].summary, **_described(static), "files": []}
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


def _described(static: StaticGraph) -> dict[str, Any]:
    """Inputs, outputs and states of a signature in these files."""

    def entries(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        return {name: {"dtype": value.dtype.name, "shape": value.shape.as_list()} for name, value in tensors.items()}

    return {"inputs": entries(static.inputs), "outputs": entries(static.outputs), "states": dict(static.states)}


def _prefix(name: str) -> str:
    """The name of a model as an identifier of C."""
    text = re.sub(r"\W", "_", name, flags=re.ASCII)
    return text if text[:1].isalpha() else f"model_{text}"
