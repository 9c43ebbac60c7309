"""Which models are served, which of their versions, and what their labels mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.errors import ConfigError, ExportError
from rnnapps.export.graph import GRAPH
from rnnapps.export.versions import versions

if TYPE_CHECKING:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

__all__ = ["ModelConfig", "configs_of", "find_models", "read_model_config"]


@dataclass(frozen=True)
class ModelConfig:
    """One model.

    Attributes:
        name: what requests call it.
        base: the folder of its versions.
        latest: how many of the newest versions are served; 0 for all.
        specific: the versions that are served, instead.
        labels: label -> version.
    """

    name: str
    base: Path
    latest: int = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)

    def wanted(self) -> dict[int, Path]:
        """The versions that are there now and should be served, with their folders."""
        there = {number: path for number, path in versions(self.base).items() if (path / GRAPH).is_file()}
        if self.specific:
            return {number: there[number] for number in self.specific if number in there}
        newest = sorted(there)[-self.latest :]
        return {number: there[number] for number in newest}


def find_models(root: Path) -> list[ModelConfig]:
    """The models of a folder: itself, if it holds versions, or else every folder in it that does.

    Raises:
        ExportError: the folder is missing.
    """
    if not root.is_dir():
        raise ExportError(f"{root}: no such folder; expected exported models, `export` writes them")
    if (root / GRAPH).is_file() and root.name.isdigit():
        return [ModelConfig(root.absolute().parent.name, root.absolute().parent, specific=(int(root.name),))]
    if _is_model(root):
        return [ModelConfig(root.absolute().name, root)]
    return [ModelConfig(path.name, path) for path in sorted(root.iterdir()) if path.name[0] != "." and _is_model(path)]


def read_model_config(path: Path) -> list[ModelConfig]:
    """The models of a configuration file of TensorFlow Serving (ModelServerConfig as text).

    Raises:
        ConfigError: the file cannot be read, or says what this server cannot do.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    try:
        config = text_format.Parse(path.read_text(encoding="utf-8"), ModelServerConfig())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    except text_format.ParseError as error:
        raise ConfigError(f"{path}: is no `model_config_list` of TensorFlow Serving ({error})") from error
    try:
        return configs_of(config)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def configs_of(config: ModelServerConfig, *, below: Path | None = None) -> list[ModelConfig]:
    """The models of a configuration message.

    Args:
        config: the message.
        below: the folder in which every model must lie, None for any.

    Raises:
        ConfigError: a model has no name or folder, lies elsewhere, or is named twice.
    """
    found: dict[str, ModelConfig] = {}
    for entry in config.model_config_list.config:
        base = Path(entry.base_path)
        if not entry.name or not base.is_dir():
            raise ConfigError(
                f"model {entry.name!r}: expected a name and an existing folder, found {entry.base_path!r}"
            )
        if below is not None and not base.resolve().is_relative_to(below.resolve()):
            raise ConfigError(f"model {entry.name!r}: {entry.base_path!r} lies outside of {below}, which is served")
        if entry.name in found:
            raise ConfigError(f"model {entry.name!r}: is named twice")
        found[entry.name] = ModelConfig(entry.name, base, labels=dict(entry.version_labels), **_policy(entry))
    return list(found.values())


def _policy(entry: Any) -> dict[str, Any]:
    policy = entry.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return {"latest": 0}
        case "specific":
            return {"specific": tuple(policy.specific.versions)}
        case "latest":
            return {"latest": policy.latest.num_versions or 1}
    return {}


def _is_model(folder: Path) -> bool:
    return any((path / GRAPH).is_file() for path in versions(folder).values())
