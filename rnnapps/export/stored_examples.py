"""Requests and answers that an export carries: `assets.extra/expected/<signature>.npz`."""

from __future__ import annotations

from pathlib import Path

from rnnapps.export.answers import Example
from rnnapps.export.arrays import Arrays, load_arrays, save_arrays
from rnnapps.export.manifest import EXTRA

__all__ = ["load_example", "save_example"]

_EXPECTED = "expected"
_EXAMPLE_BYTES = 1024**3
_INPUT, _OUTPUT = "inputs/", "outputs/"


def save_example(folder: Path, example: Example) -> None:
    """Stores the requests and answers of one signature in an export, for its verification."""
    target = folder / EXTRA / _EXPECTED
    target.mkdir(parents=True, exist_ok=True)
    inputs = {_INPUT + name: array for name, array in example.inputs.items()}
    outputs = {_OUTPUT + name: array for name, array in example.outputs.items()}
    save_arrays(target / f"{example.signature}.npz", {**inputs, **outputs})


def load_example(folder: Path, signature: str) -> Example:
    """The stored requests and answers of one signature; raises ExportError where they are missing or damaged."""
    path = folder / EXTRA / _EXPECTED / f"{Path(signature).name}.npz"
    stored = load_arrays(path, maximum_bytes=_EXAMPLE_BYTES)
    return Example(signature, _below(stored, _INPUT), _below(stored, _OUTPUT))


def _below(stored: Arrays, prefix: str) -> Arrays:
    """The arrays whose name begins with the prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in stored.items() if name.startswith(prefix)}
