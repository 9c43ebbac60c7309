"""Which models and versions a deployment serves, and under which labels; their names are checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnnapps.errors import ConfigError, ExportError
from rnnapps.export.batching_settings import BatchingSettings, read_batching
from rnnapps.serving.model_config import find_models

__all__ = ["DeployedModel", "deployed_models", "read_pins"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_PIN = re.compile(r"([^=]+)=(\d{1,18})(?:,(\d{1,18}))?")
_REMEDY = "rename its folder: letters, digits, _, - and . only, a letter or digit first, at most 63"


@dataclass(frozen=True)
class DeployedModel:
    """One model of a deployment.

    Attributes:
        name: what requests call it.
        base: the folder of its versions, absolute.
        stable: the version that requests are meant for.
        canary: a newer one that some requests try; None for none.
        batching: what its versions say of batches; none where they say nothing.
    """

    name: str
    base: Path
    stable: int
    canary: int | None = None
    batching: BatchingSettings = field(default_factory=BatchingSettings)

    @property
    def labels(self) -> dict[str, int]:
        """Label -> version."""
        return {"stable": self.stable} | ({"canary": self.canary} if self.canary is not None else {})

    @property
    def kubernetes_name(self) -> str:
        """The name as Kubernetes takes it: small letters, digits and hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def read_pins(words: Sequence[str]) -> dict[str, tuple[int, int | None]]:
    """`NAME=STABLE` or `NAME=STABLE,CANARY` of each model that was named; raises ConfigError for anything else."""
    pins: dict[str, tuple[int, int | None]] = {}
    for word in words:
        match = _PIN.fullmatch(word)
        if match is None or match[1] in pins or match[2] == match[3]:
            raise ConfigError(f"--pin {word!r}: expected NAME=STABLE or NAME=STABLE,CANARY, each model once")
        pins[match[1]] = int(match[2]), int(match[3]) if match[3] else None
    return pins


def deployed_models(root: Path, pins: Mapping[str, tuple[int, int | None]]) -> list[DeployedModel]:
    """The models below a folder.

    Where a model is not pinned its newest version is the canary, and the one before it is stable; a single version is
    stable.

    Args:
        root: a folder of models, or of one model's versions.
        pins: model -> its stable version and its canary.

    Raises:
        ExportError: there is no model, a version is missing, or a name cannot stand in every file.
        ConfigError: a pin names no model.
    """
    found = {config.name: config.base for config in find_models(root)}
    if not found:
        raise ExportError(f"{root}: holds no exported model; `rnnapps PIPELINE export --to {root}/NAME` writes one")
    for name in pins.keys() - found.keys():
        raise ConfigError(f"--pin {name}: no such model in {root}; there are {', '.join(sorted(found))}")
    models = [_deployed(name, base.resolve(), pins.get(name)) for name, base in sorted(found.items())]
    names: dict[str, str] = {}
    for model in models:
        other = names.setdefault(model.kubernetes_name, model.name)
        if other != model.name:
            raise ExportError(f"models {other!r} and {model.name!r}: Kubernetes cannot tell them apart; {_REMEDY}")
    return models


def _deployed(name: str, base: Path, pin: tuple[int, int | None] | None) -> DeployedModel:
    if not _NAME.fullmatch(name):
        raise ExportError(f"{base}: {name!r} cannot be the name of a model in every file; {_REMEDY}")
    there = _versions(name, base)
    newest = sorted(there)[-2:]
    stable, canary = pin or (newest[0], newest[1] if len(newest) > 1 else None)
    for number in (stable, canary):
        if number is not None and number not in there:
            known = ", ".join(map(str, sorted(there)))
            raise ExportError(f"{base}: version {number} is missing or no export; there are {known}")
    return DeployedModel(name, base, stable, canary, read_batching(there[stable]) or BatchingSettings())


def _versions(name: str, base: Path) -> dict[int, Path]:
    """All versions with a graph."""
    from rnnapps.serving.model_config import ModelConfig

    return ModelConfig(name, base, latest=0).wanted()
