"""An export as a Python object: for `predict` and for tests of client code."""

from __future__ import annotations

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

import tensorflow as tf

from rnnapps.errors import ExportError
from rnnapps.export.arrays import Arrays, as_array
from rnnapps.export.safety import require_safe
from rnnapps.export.versions import find_version
from rnnapps.types import ArrayLike

__all__ = ["ExportedModel", "load_for_inference"]

_PLACES = ("Graph execution error", "Detected at node", "<stack traces", "File ", "[[", "(0)", "(1)")


class ExportedModel:
    """The signatures of an export.

    Attributes:
        folder: the version folder.
        signatures: their names.
        loaded: what TensorFlow loaded; it owns the variables of the signatures.
    """

    def __init__(self, folder: Path, loaded: Any) -> None:
        self.folder = folder
        self.loaded = loaded
        self.signatures: tuple[str, ...] = tuple(sorted(loaded.signatures))

    def run(self, signature: str, inputs: Mapping[str, ArrayLike]) -> Arrays:
        """Runs a signature.

        Args:
            signature: its name.
            inputs: input name -> array or list `(batch, ...)`.

        Returns:
            Output name -> array `(batch, ...)`; strings are objects of type `bytes`.

        Raises:
            ExportError: the signature or an input is unknown, missing or of the wrong type or shape.
        """
        if signature not in self.signatures:
            raise ExportError(f"{self.folder}: no signature {signature!r}; expected one of {list(self.signatures)}")
        function = self.loaded.signatures[signature]
        specs = function.structured_input_signature[1]
        if set(inputs) != set(specs):
            raise ExportError(f"signature {signature!r}: inputs {sorted(inputs)} found, {sorted(specs)} expected")
        try:
            tensors = {name: tf.constant(value, specs[name].dtype) for name, value in inputs.items()}
            return {name: as_array(value.numpy()) for name, value in function(**tensors).items()}
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ExportError(f"signature {signature!r}: cannot run on these inputs ({_reason(error)})") from error


def load_for_inference(path: Path | str, *, allow: Set[str] = frozenset()) -> ExportedModel:
    """Loads an export into this process, once its graph is known to do nothing but compute.

    Args:
        path: a version folder, or the folder of versions, whose newest one is taken.
        allow: operations that it may hold beside those of rnnapps' own exports; see `verify`.

    Raises:
        ExportError: there is no export, it is damaged, or its graph holds what is not allowed: then nothing was loaded.
    """
    folder = find_version(path)
    require_safe(folder, allow)
    try:
        return ExportedModel(folder, tf.saved_model.load(str(folder)))
    except (OSError, tf.errors.OpError, KeyError, ValueError) as error:
        message = (str(error).splitlines() or [""])[0]
        raise ExportError(f"{folder}: cannot be loaded ({message}); `rnnapps verify` tells more") from error


def _reason(error: Exception) -> str:
    """The line of TensorFlow's message that says what is wrong, not where its graph is."""
    lines = [line.strip() for line in str(getattr(error, "message", "") or error).splitlines()]
    said = [line for line in lines if line and not line.startswith(_PLACES)]
    return (said or lines or [type(error).__name__])[0]
