"""The manifest: what an export is made of, with the SHA-256 of every file.

The sums find damaged and exchanged files. They are no signature: who can write the folder can also write new sums
(`rnnapps/export/provenance.py` signs).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import rnnapps
from rnnapps.errors import ExportError

__all__ = [
    "ENSEMBLE",
    "EXTRA",
    "FORMAT",
    "MANIFEST",
    "SIGNATURE",
    "Manifest",
    "check_files",
    "package_versions",
    "read_manifest",
    "trusted_file",
    "write_manifest",
]

EXTRA, ENSEMBLE = "assets.extra", "ensemble.json"
FORMAT = 2
_MAXIMUM_BYTES = 64 * 1024**2
MANIFEST = f"{EXTRA}/manifest.json"
SIGNATURE = f"{MANIFEST}.sig"
_PACKAGES = ("tensorflow", "keras", "numpy")


@dataclass(frozen=True)
class Manifest:
    """The contents of `assets.extra/manifest.json`.

    Attributes:
        model: name of the model.
        created_utc: when it was exported, ISO 8601.
        signatures: name -> {"inputs" | "outputs": {name: {"dtype": str, "shape": list, None = any size}}}.
        weights: variable path -> {"dtype": str, "shape": list}.
        files: path relative to the version folder -> {"sha256": str, "bytes": int}; written by `write_manifest`.
        versions: of the packages the export was made with.
        format: version of this layout.
    """

    model: str
    created_utc: str
    signatures: dict[str, dict[str, dict[str, dict[str, Any]]]]
    weights: dict[str, dict[str, Any]]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest with the sums of all files now in `folder`; call it last."""
    values = asdict(manifest)
    values["versions"] = package_versions()
    values["files"] = {
        str(path.relative_to(folder).as_posix()): {"sha256": _digest(path), "bytes": path.stat().st_size}
        for path in _files(folder)
        if path not in (folder / MANIFEST, folder / SIGNATURE)
    }
    text = json.dumps(values, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Reads and checks the manifest.

    Raises:
        ExportError: it is missing, not readable, of another format, or names a path outside of the folder.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MAXIMUM_BYTES:
            raise ExportError(f"{path}: larger than {_MAXIMUM_BYTES >> 20} MiB; export the model again")
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror}); export the model again") from error
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path}: not valid JSON ({error}); export the model again") from error
    found = values.get("format") if isinstance(values, dict) else None
    if found != FORMAT:
        raise ExportError(
            f"{path}: format {found!r} found, {FORMAT} expected; export the model again with this version"
        )
    try:
        manifest = Manifest(**values)
        for name, entry in manifest.files.items():
            _safe(folder, name)
            _ = entry["sha256"], entry["bytes"]
        _ = [(item["inputs"], item["outputs"]) for item in manifest.signatures.values()]
        _ = [(item["shape"], item["dtype"]) for item in manifest.weights.values()]
    except (TypeError, KeyError, AttributeError) as error:
        raise ExportError(f"{path}: missing or unknown entry ({error}); export the model again") from error
    return manifest


def trusted_file(folder: Path, manifest: Manifest, name: str) -> Path:
    """Returns the path of a listed file whose content has the listed sum; raises ExportError otherwise."""
    problem = _file_problem(folder, manifest, name) if name in manifest.files else "not in the manifest"
    if problem:
        raise ExportError(f"{folder / name}: {problem}; export the model again")
    return folder / name


def check_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Yields one line for each file that is missing, changed or not listed."""
    for name in sorted(manifest.files):
        problem = _file_problem(folder, manifest, name)
        if problem:
            yield f"{name}: {problem}; export the model again"
    listed = {*manifest.files, MANIFEST, SIGNATURE}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if name not in listed:
            yield f"{name}: not in the manifest; remove it or export the model again"


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide what an export computes."""
    versions = {"python": platform.python_version(), "rnnapps": rnnapps.__version__}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _file_problem(folder: Path, manifest: Manifest, name: str) -> str:
    """Why a file is not the one that was exported, or nothing."""
    path, entry = _safe(folder, name), manifest.files[name]
    if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        return "a link that leads out of the export"
    if not path.is_file():
        return "missing"
    if path.stat().st_size != entry["bytes"]:
        return f"{path.stat().st_size} bytes found, {entry['bytes']} expected"
    return "" if _digest(path) == entry["sha256"] else "its content was changed (SHA-256 differs)"


def _safe(folder: Path, name: str) -> Path:
    """The path of a listed name, which must stay in the folder."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or ":" in name or not pure.parts:
        raise ExportError(f"{folder / MANIFEST}: path {name!r} leads out of the export; do not use this export")
    return folder / name


def _files(folder: Path) -> list[Path]:
    """All files of an export, links to folders among them."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
