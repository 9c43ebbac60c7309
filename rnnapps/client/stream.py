"""A stream: requests to one version of a model, each of which takes the states of the answer before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rnnapps.atomic import write_atomically
from rnnapps.client.column_json import from_json, to_json
from rnnapps.client.request import initial_state
from rnnapps.contract.served import ServedSignature, ServedTensor
from rnnapps.contract.tensor_names import NEXT, PROBLEM
from rnnapps.errors import ConfigError, DataError
from rnnapps.types import Array, Arrays

__all__ = ["Asker", "Stream"]

_FORMAT = 1


class Asker(Protocol):
    """What a stream needs of a client."""

    model: str

    def signature(self, name: str) -> ServedSignature:
        """What a signature takes and gives."""

    def predict(self, inputs: Mapping[str, Any], signature: str, *, problems: str = ...) -> Arrays:
        """Asks it."""

    def checked(self, outputs: Arrays, problems: str) -> Arrays:
        """The outputs, if no row was refused or that is not to be raised."""


class Stream:
    """What a model remembers of some rows, kept by the client.

    States belong to a version: the stream asks the one that answered first, also when a newer one is served.

    Args:
        client: asks the server for that version.
        version: of the model.
        signature: the signature that each chunk is sent to.
        rows: how many sequences go on side by side.

    Attributes:
        states: state input -> array `(rows, ...)`; empty where the stream has yet to `begin`.
        steps: how many chunks were answered.
        version: of the model.

    Raises:
        ConfigError: the signature has no states.
        ServingError: the server cannot be asked.
    """

    def __init__(self, client: Asker, version: int, signature: str, *, rows: int = 1) -> None:
        self.version, self._client = version, client
        self._signature, self._rows = signature, rows
        self._served = self._client.signature(signature)
        if not self._served.states:
            raise ConfigError(f"signature {signature!r} keeps no states: it has no input of the name state_*")
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self.steps = 0
        self.states: Arrays = {}
        if not self._served.begins:
            self.states = {name: initial_state(tensor, self._rows) for name, tensor in self._served.states.items()}

    def begin(self, inputs: Mapping[str, Any]) -> Arrays:
        """Takes the first states from the signature that a stream of this one begins with.

        Args:
            inputs: of that signature.

        Returns:
            Its other outputs.

        Raises:
            ConfigError: streams of this signature begin with zeros.
            RowsRefused: a row was refused, so that it has no state.
        """
        if not self._served.begins:
            raise ConfigError(f"signature {self._signature!r} begins with zeros; send the first chunk")
        outputs = self._client.predict(inputs, self._served.begins)
        self.steps, self.states = 0, {name: outputs.pop(NEXT + name) for name in self._served.states}
        return outputs

    def send(self, inputs: Mapping[str, Any], *, problems: str = "raise") -> Arrays:
        """Sends a chunk.

        Args:
            inputs: all inputs but the states, `(rows, ...)`.
            problems: `raise` RowsRefused where a row was refused, or `return` it as an output. The states of such a row
                stay as they were.

        Returns:
            The outputs but for the states.
        """
        if not self.states:
            raise ConfigError(f"the stream has no states yet; call begin() with inputs of {self._served.begins!r}")
        outputs = self._client.predict({**inputs, **self.states}, self._signature, problems="return")
        refused = np.array([bool(problem) for problem in outputs.get(PROBLEM, np.zeros(self._rows))])
        for name in self.states:
            self.states[name] = _unless(refused, outputs.pop(NEXT + name), self.states[name])
        self.steps += not refused.all()
        return self._client.checked(outputs, problems)

    def save(self, path: str | Path) -> None:
        """Writes the states to a file of JSON, from which another stream can go on.

        Raises:
            OSError: it cannot be written; an older file stays as it was.
        """
        states = {name: to_json(array) for name, array in self.states.items()}
        kept = {"format": _FORMAT, **self._place(), "steps": self.steps, "states": states}
        write_atomically(Path(path), json.dumps(kept).encode())

    def restore(self, path: str | Path) -> None:
        """Goes on from what `save` wrote.

        Raises:
            DataError: the file cannot be read, or holds states of another model, version or signature.
        """
        try:
            kept = json.loads(Path(path).read_bytes())
            if kept.pop("format") != _FORMAT:
                raise ValueError("another format")
            found = {key: kept[key] for key in self._place()}
            tensors = {name: self._as_kept(name) for name in self._served.states}
            states = {name: from_json(name, kept["states"][name], tensor) for name, tensor in tensors.items()}
            steps = int(kept["steps"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(path, f"is no state of a stream ({error})", "give a file that save() wrote") from error
        if found != self._place():
            raise DataError(path, f"holds the state of {_shown(found)}", f"this stream is of {_shown(self._place())}")
        self.states, self.steps = states, steps

    def _place(self) -> dict[str, Any]:
        """Whose states these are."""
        return {"model": self._client.model, "version": self.version, "signature": self._signature}

    def _as_kept(self, name: str) -> ServedTensor:
        tensor = self._served.states[name]
        return replace(tensor, shape=[self._rows, *tensor.shape[1:]])


def _unless(refused: Array, new: Array, old: Array) -> Array:
    """The new states, but for rows that were refused."""
    if not refused.any():
        return new
    return np.where(refused.reshape(-1, *[1] * (old.ndim - 1)), old, new)


def _shown(place: Mapping[str, Any]) -> str:
    return f"{place['model']}, version {place['version']}, signature {place['signature']!r}"
