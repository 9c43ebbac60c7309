"""Crash-safe checkpoints: named arrays and metadata in two files, complete or not there at all.

A checkpoint is `step-<step>-<start of the sha256>.npz` with the arrays and `step-<step>.json`, the manifest, which
names the array file and its sha256. The manifest is written last: without it a checkpoint does not exist.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from rnnapps.atomic import synchronise_folder, write_atomically
from rnnapps.errors import CheckpointError
from rnnapps.types import Array, Arrays

__all__ = ["Arrays", "checkpoint_steps", "prune_checkpoints", "read_checkpoint", "read_manifest", "write_checkpoint"]


FORMAT = 1
OWN_SUM = "manifest_sha256"


def write_checkpoint(folder: Path, step: int, arrays: Arrays, metadata: Mapping[str, Any]) -> None:
    """Writes one checkpoint.

    Args:
        folder: where; it must exist.
        step: number of the checkpoint; an existing one of this number is replaced in one step.
        arrays: name -> array of any numeric dtype (bfloat16 and the 8-bit floats too) and shape.
        metadata: anything JSON can hold.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written; the older checkpoints are untouched.
    """
    try:
        name, digest = _write_arrays(folder, step, arrays)
        dtypes = {key: np.asarray(array).dtype.name for key, array in arrays.items()}
        manifest = {
            "format": FORMAT,
            "step": step,
            "file": name,
            "sha256": digest,
            "dtypes": dtypes,
            "metadata": dict(metadata),
        }
        manifest[OWN_SUM] = _sum_of(manifest)
        write_atomically(_manifest_path(folder, step), json.dumps(manifest, indent=1).encode())
    except OSError as error:
        raise CheckpointError(
            f"{folder}: cannot save the state of step {step}: {error.strerror or error}; older states are intact: "
            f"free space or make the folder writable, then give the same command again to resume"
        ) from error


def read_checkpoint(folder: Path, step: int) -> tuple[Arrays, dict[str, Any]]:
    """Returns (arrays, metadata) of one checkpoint.

    Raises:
        CheckpointError: the checkpoint is missing, truncated or altered.
    """
    manifest = read_manifest(folder, step)
    path = folder / manifest["file"]
    try:
        if _sha256(path) != manifest["sha256"]:
            raise CheckpointError(f"{path}: is damaged (its sha256 differs from the manifest's)")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: _unpack(stored[key], dtype) for key, dtype in manifest["dtypes"].items()}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
    return arrays, manifest["metadata"]


def read_manifest(folder: Path, step: int) -> dict[str, Any]:
    """Returns the manifest of one checkpoint; raises CheckpointError when it is missing or damaged."""
    path = _manifest_path(folder, step)
    try:
        manifest: dict[str, Any] = json.loads(path.read_bytes())
        if manifest["format"] != FORMAT or not {"file", "sha256", "dtypes", "metadata"} <= manifest.keys():
            raise CheckpointError(f"{path}: format {manifest['format']}, but this version reads format {FORMAT}")
        own = manifest.pop(OWN_SUM, None)  # the first versions wrote none
        if manifest.keys() - {"format", "step", "file", "sha256", "dtypes", "metadata"}:
            raise CheckpointError(f"{path}: is damaged (it has names that no version writes)")
        if own is not None and own != _sum_of(manifest):
            raise CheckpointError(f"{path}: is damaged (it differs from its own sha256)")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: is not a readable manifest: {error}") from error
    return manifest


def _sum_of(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest's values, however they are written as JSON."""
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def checkpoint_steps(folder: Path) -> list[int]:
    """Returns the steps that have a manifest, ascending; whether their arrays are intact is not checked."""
    matches = (re.fullmatch(r"step-(\d+)\.json", path.name) for path in folder.glob("step-*.json"))
    return sorted(int(match[1]) for match in matches if match)


def prune_checkpoints(folder: Path, keep: set[int]) -> None:
    """Deletes every checkpoint but those of the steps in `keep`, and what interrupted saves left behind."""
    wanted = set()
    for step in keep:
        with contextlib.suppress(CheckpointError):
            wanted |= {_manifest_path(folder, step).name, read_manifest(folder, step)["file"]}
    for suffix in (".json", ".npz", ".tmp"):  # manifests first: no manifest may outlive its arrays
        for path in list(folder.glob(f"step-*{suffix}")):
            if path.name not in wanted:
                path.unlink(missing_ok=True)


def _write_arrays(folder: Path, step: int, arrays: Arrays) -> tuple[str, str]:
    """Returns (file name, sha256) of the array file."""
    temporary = folder / f"step-{step:09d}.{os.getpid()}.tmp"
    packed: dict[str, Any] = {key: _pack(np.asarray(array)) for key, array in arrays.items()}
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **packed)
            file.flush()
            os.fsync(file.fileno())
        digest = _sha256(temporary)
        name = f"step-{step:09d}-{digest[:12]}.npz"
        os.replace(temporary, folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    synchronise_folder(folder)
    return name, digest


def _manifest_path(folder: Path, step: int) -> Path:
    """The file that names a checkpoint's files and sums; a checkpoint without it does not exist."""
    return folder / f"step-{step:09d}.json"


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pack(array: Array) -> Array:
    """Views dtypes the npz format does not know (bfloat16...) as unsigned integers of the same size."""
    return array if array.dtype.kind in "biufc" else array.view(f"u{array.dtype.itemsize}")


def _unpack(array: Array, dtype: str) -> Array:
    """An array in its own type, which NumPy's file format may not know."""
    target = np.dtype(getattr(ml_dtypes, dtype, dtype))
    return array if array.dtype == target else array.view(target)
