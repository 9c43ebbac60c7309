"""The members of an ensemble, as its run or its export names them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.contract.fitted import Fitted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.export.manifest import ENSEMBLE, EXTRA, read_manifest, trusted_file
from rnnapps.verbs import settings
from rnnapps.verbs.conversion import convert

if TYPE_CHECKING:
    import keras

__all__ = [
    "Member",
    "build_network",
    "find_members",
    "join",
    "members_text",
    "read_members",
    "require_no_ensemble",
]

AnyPipeline = Pipeline[Any, Any, Any]


@dataclass(frozen=True)
class Member:
    """A run that an ensemble was made of.

    Attributes:
        run: its folder, as it was given.
        config: its settings.
    """

    run: str
    config: Any


def members_text(members: Sequence[Member]) -> str:
    """What `read_members` reads."""
    plain = [{"run": member.run, "settings": settings.flatten(member.config)} for member in members]
    return json.dumps({"members": plain}, indent=1)


def find_members(path: Path) -> Path | None:
    """The file that names the members of a run, or of the newest version of an export; None of any other model.

    Raises:
        ExportError: the file of an export is not what its manifest says.
    """
    if (path / "config.yaml").is_file():
        return path / ENSEMBLE if (path / ENSEMBLE).is_file() else None
    from rnnapps.export.versions import find_version

    version = find_version(path)
    manifest, name = read_manifest(version), f"{EXTRA}/{ENSEMBLE}"
    return trusted_file(version, manifest, name) if name in manifest.files else None


def require_no_ensemble(path: Path) -> None:
    """Raises ConfigError for an ensemble, which is not trained itself."""
    if find_members(path) is not None:
        raise ConfigError(f"{path}: is an ensemble, which is not trained; train its members, and join them again")


def read_members(pipeline: AnyPipeline, file: Path) -> list[Member]:
    """The members that a file of `find_members` names.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        read = json.loads(file.read_text(encoding="utf-8"))["members"]
        return [Member(str(own["run"]), _configuration(pipeline, own["settings"], file)) for own in read]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(f"{file}: cannot be read ({type(error).__name__}); join the runs again") from error


def build_network(pipeline: AnyPipeline, config: Any, preprocessor: Any, path: Path) -> keras.Model:
    """The network of the run or export in a folder, an ensemble or not, with fresh weights."""
    file = find_members(path)
    if file is None:
        return pipeline.build_model(config, preprocessor)
    return join(pipeline, [member.config for member in read_members(pipeline, file)], preprocessor)[0]


def join(pipeline: AnyPipeline, configs: Sequence[Any], preprocessor: Any) -> tuple[keras.Model, list[keras.Model]]:
    """An ensemble, and its members, all with fresh weights.

    Raises:
        ConfigError: see `Pipeline.join`.
    """
    from rnnapps.layers.side_by_side import build_members

    networks = build_members([partial(pipeline.build_model, config, preprocessor) for config in configs])
    fitted = [Fitted(config, preprocessor, network) for config, network in zip(configs, networks, strict=True)]
    return pipeline.join(fitted), networks


def _configuration(pipeline: AnyPipeline, stored: dict[str, Any], file: Path) -> Any:
    """Settings by dotted key as a configuration; what older versions could not name is as they had it."""
    placed = {key: settings.Setting(value, str(file)) for key, value in {**pipeline.settings_before, **stored}.items()}
    typed = {key: setting.value for key, setting in convert(pipeline.config_class, placed).items()}
    return settings.assemble(pipeline.config_class, typed)
