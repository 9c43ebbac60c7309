"""What the package of trained models holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from rnnapps.errors import ConfigError

__all__ = ["FORMAT", "MANIFEST", "PACKAGE", "ZooModel", "catalogue", "package_folder"]

PACKAGE = "rnnapps_models"
MANIFEST = "manifest.json"
FORMAT = 1
_LARGEST_MANIFEST = 1024**2
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ZooModel:
    """A trained model of the package.

    Attributes:
        name: what it is called: `zoo:<name>`.
        pipeline: the pipeline that trained it.
        summary: what it does, and on what it was trained.
        licence: of its data, and of the model.
        made_by: the command that trained it.
        archive: file name in the package.
        bytes: size of the archive.
        sha256: of the archive.
        metrics: what `evaluate` found on held-out data.
    """

    name: str
    pipeline: str
    summary: str
    licence: str
    made_by: str
    archive: str
    bytes: int
    sha256: str
    metrics: dict[str, float]


def package_folder() -> Traversable:
    """The folder of the installed package.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return resources.files(PACKAGE)
    except ModuleNotFoundError:
        problem = "trained models are a package of their own, rnnapps-models, which is not installed"
        raise ConfigError(f"{problem}; in a copy of the repository: pip install ./models") from None


def catalogue() -> dict[str, ZooModel]:
    """Name -> model, for all models of the package.

    Raises:
        ConfigError: the package is not installed, or is damaged.
    """
    manifest = package_folder() / MANIFEST
    try:
        with manifest.open("rb") as file:
            content = file.read(_LARGEST_MANIFEST)
        values = json.loads(content)
        if values["format"] != FORMAT:
            raise ConfigError(f"{manifest}: format {values['format']!r} found, {FORMAT} expected; update {PACKAGE}")
        return {name: _model(name, entry) for name, entry in values["models"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{manifest}: cannot be read ({error}); install rnnapps-models again") from error


def _model(name: str, entry: dict[str, Any]) -> ZooModel:
    """An entry; raises ValueError for a name that could lead out of a folder."""
    model = ZooModel(name=name, **entry)
    if not _NAME.fullmatch(name) or model.archive != f"{name}.tar.xz" or not _DIGEST.fullmatch(model.sha256):
        raise ValueError(f"the entry {name!r} is none of a model")
    return model
