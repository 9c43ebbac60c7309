"""Settings as Python users give them, as a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs import settings
from rnnapps.verbs.conversion import convert
from rnnapps.verbs.saved import saved_configuration

__all__ = ["configure", "read_configuration", "read_options"]

AnyPipeline = Pipeline[Any, Any, Any]


def configure(pipeline: AnyPipeline, base: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Builds a configuration.

    Args:
        pipeline: the application.
        base: dotted key -> value, to start from; what it lacks has its default.
        given: a group of settings by its name ({"model": {"cell": "lstm"}}), a single one by its dotted key
            ({"model.cell": "lstm"}), or one of the group `training`, or the seed, by its bare name ({"steps": 500}).

    Raises:
        ConfigError: a setting does not exist, or its value is of another type or out of range.
    """
    kinds = settings.setting_types(pipeline.config_class)
    dotted = {key: _plain(value) for key, value in _by_dotted_key(pipeline, given).items()}
    for key in dotted:
        if key not in kinds:
            raise ConfigError(f"{pipeline.name} has no setting {key!r}{settings.nearest(key, kinds)}")
    placed = {key: settings.Setting(value, "settings given from Python") for key, value in dotted.items()}
    changes = {key: setting.value for key, setting in convert(pipeline, placed, kinds).items()}
    return settings.assemble(pipeline.config_class, {**base, **changes})


def read_configuration(pipeline: AnyPipeline, path: Path) -> dict[str, Any]:
    """Dotted key -> value of the configuration of a run, an export, or a YAML file.

    Raises:
        ConfigError: there is none, or it is of another pipeline.
    """
    file = path if path.is_file() else saved_configuration(path)
    if file is None:
        raise ConfigError(f"{path}: holds no configuration; name a run folder, an export or a YAML file")
    kinds = settings.setting_types(pipeline.config_class)
    found = convert(pipeline, settings.read(file, kinds, pipeline_name=pipeline.name), kinds)
    return {key: setting.value for key, setting in found.items()}


def read_options(pipeline: AnyPipeline, given: Mapping[str, Any]) -> Any:
    """Options of `predict` and `stream`.

    Raises:
        ConfigError: an option does not exist, or its value is out of range.
    """
    known = [field.name for field in dataclasses.fields(pipeline.predict_class)]
    for name in given:
        if name not in known:
            raise ConfigError(
                f"{pipeline.name} has no option {name!r} of predict{settings.nearest(name, known)}; "
                f"there are {', '.join(known)}"
            )
    return pipeline.predict_class(**given)


def _by_dotted_key(pipeline: AnyPipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(pipeline.config_class)}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in fields and isinstance(value, Mapping):
            found |= settings.dotted(value, f"{name}.")
        elif name in fields or "." in name:
            found[name] = value
        else:
            found[f"training.{name}"] = value
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
