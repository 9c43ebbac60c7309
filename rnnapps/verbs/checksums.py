"""Checksums of what a run was begun with: other characters in a vocabulary would be other text, without an error."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from rnnapps.errors import CheckpointError

__all__ = ["require_unchanged", "write_checksums"]

FILE = "checksums.json"
FORMAT_KEY, FORMAT = "format", 1
"""Version of the layout of a run folder."""
CONFIG = "config.yaml"
PREPROCESSING = "preprocessing"


def write_checksums(run: Path, config: bytes) -> None:
    """Notes the checksums of the preprocessing, and of the configuration that is about to be written.

    A configuration that stands there already stays allowed: a process that is killed between this and the new one
    leaves a run that opens.

    Raises:
        OSError: the folder cannot be written.
    """
    from rnnapps.atomic import write_atomically

    configs = [hashlib.sha256(config).hexdigest()]
    if (run / CONFIG).is_file():
        configs.append(_digest(run / CONFIG))
    files = {str(path.relative_to(run)): [_digest(path)] for path in _files(run / PREPROCESSING)}
    write_atomically(run / FILE, json.dumps({FORMAT_KEY: FORMAT, CONFIG: configs, **files}, indent=1).encode())


def require_unchanged(run: Path) -> None:
    """Compares a run's files with their checksums; runs of before there were any are taken as they are.

    Raises:
        CheckpointError: a file is missing or differs, or another version of rnnapps laid the run out.
    """
    if not (run / FILE).is_file():
        return
    try:
        noted = json.loads((run / FILE).read_text("utf-8"))
        found = noted.pop(FORMAT_KEY, FORMAT)
        allowed = {str(name): set(digests) for name, digests in noted.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        raise CheckpointError(f"{run / FILE}: cannot be read; restore it, or delete it to do without") from None
    if found != FORMAT:
        raise CheckpointError(f"{run / FILE}: a run of format {found!r}, but this version reads format {FORMAT}")
    for name, digests in allowed.items():
        if not (run / name).is_file():
            raise CheckpointError(f"{run / name}: is missing; restore the run, or train again")
        if _digest(run / name) not in digests:
            remedy = f"restore it, or delete {run / FILE} if the change is meant"
            raise CheckpointError(f"{run / name}: is not what training wrote; {remedy}")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
