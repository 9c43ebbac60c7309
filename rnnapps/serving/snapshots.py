"""What is kept of a session, as bytes and as a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from rnnapps.atomic import write_atomically
from rnnapps.serving.frames import HEADER_BYTES, decode, encode
from rnnapps.serving.refusal import Code, Refusal
from rnnapps.types import Arrays

__all__ = ["Snapshot", "keep_snapshot", "kept_path", "read_snapshot", "snapshot_bytes"]

_FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """The states of a session.

    Attributes:
        model: name of the model.
        version: its version.
        signature: what the session runs.
        steps: messages that it has answered.
        states: state input -> array `(1, ...)`.
    """

    model: str
    version: int
    signature: str
    steps: int
    states: Arrays


def snapshot_bytes(snapshot: Snapshot) -> bytes:
    """A snapshot as bytes: a frame of msgpack, which holds data only."""
    return encode({"format": _FORMAT, **vars(snapshot)})


def read_snapshot(content: bytes) -> Snapshot:
    """The snapshot in some bytes; raises Refusal for what is none."""
    try:
        values: dict[str, Any] = decode(content[HEADER_BYTES:])
        if values.pop("format") != _FORMAT:
            raise ValueError("another format")
        snapshot = Snapshot(**values)
        _require_types(snapshot)
    except Exception as error:  # whatever msgpack and NumPy make of bytes of strangers
        message = f"not a snapshot of this server ({type(error).__name__})"
        raise Refusal(Code.INVALID_ARGUMENT, message) from error
    return snapshot


def keep_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Writes the file of a session, at once and whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, snapshot_bytes(snapshot))


def kept_path(folder: Path, model: str, name: str) -> Path:
    """The file of a session; no name of a model leads out of the folder."""
    return folder / f"{quote(model, safe='')}@{name}.session"


def _require_types(snapshot: Snapshot) -> None:
    kinds = (str, int, str, int, dict)
    if not all(isinstance(value, kind) for value, kind in zip(vars(snapshot).values(), kinds, strict=True)):
        raise ValueError("entries of other types")
    if not all(isinstance(array, np.ndarray) for array in snapshot.states.values()):
        raise ValueError("states that are no arrays")
