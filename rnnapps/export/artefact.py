"""Parts of an export that fine-tuning reads: configuration, preprocessing and weights by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays, load_arrays, save_arrays
from rnnapps.export.manifest import EXTRA, read_manifest, trusted_file
from rnnapps.export.versions import find_version
from rnnapps.types import Array

if TYPE_CHECKING:
    import keras

__all__ = ["CONFIG", "PREPROCESSING", "WEIGHTS", "load_config", "load_weights", "preprocessing_folder", "save_weights"]

CONFIG = "config.yaml"
PREPROCESSING = "preprocessing"
WEIGHTS = "weights.npz"


def load_config(path: Path | str) -> str:
    """Returns the configuration of an export as YAML text.

    Args:
        path: a version folder, or the folder of versions, whose newest one is taken.

    Raises:
        ExportError: there is no export, or the file was changed.
    """
    folder = find_version(path)
    return trusted_file(folder, read_manifest(folder), f"{EXTRA}/{CONFIG}").read_text(encoding="utf-8")


def preprocessing_folder(path: Path | str) -> Path:
    """Returns the folder that a preprocessor's `load` reads; arguments and errors as in `load_config`."""
    folder = find_version(path)
    manifest = read_manifest(folder)
    for name in manifest.files:
        if name.startswith(f"{EXTRA}/{PREPROCESSING}/"):
            trusted_file(folder, manifest, name)
    return folder / EXTRA / PREPROCESSING


def load_weights(path: Path | str) -> Arrays:
    """Returns the weights of the exported network, path -> array; arguments and errors as in `load_config`."""
    folder = find_version(path)
    manifest = read_manifest(folder)
    file = trusted_file(folder, manifest, f"{EXTRA}/{WEIGHTS}")
    stored = load_arrays(file)
    if set(stored) != set(manifest.weights):
        raise ExportError(f"{file}: other weights than the manifest lists; export the model again")
    return {name: _typed(array, manifest.weights[name]["dtype"]) for name, array in stored.items()}


def save_weights(folder: Path, network: keras.Model) -> dict[str, dict[str, Any]]:
    """Writes all weights by their path; returns their types and shapes.

    The states of random generators are left out: they are no part of what was learned, and Keras numbers their paths
    anew in every process.

    Raises:
        ExportError: two weights have the same path.
    """
    arrays: Arrays = {}
    described: dict[str, dict[str, Any]] = {}
    for variable in network.weights:
        if variable.path in arrays:
            raise ExportError(f"two weights are called {variable.path!r}; give the layers of the model unique names")
        array = np.asarray(variable)
        described[variable.path] = {"dtype": array.dtype.name, "shape": list(array.shape)}
        # NumPy's file format has no bfloat16: its bits are stored.
        arrays[variable.path] = array.view(np.uint16) if array.dtype.name == "bfloat16" else array
    save_arrays(folder / WEIGHTS, arrays)
    return described


def _typed(array: Array, dtype: str) -> Array:
    """A stored array in its own type; bfloat16 is stored as its bits."""
    if dtype != "bfloat16":
        return array
    import ml_dtypes

    return array.view(ml_dtypes.bfloat16)
