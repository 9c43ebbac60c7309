"""Settings as Python users give them, as a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnapps.config import dotted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs import settings, yaml_files
from rnnapps.verbs.conversion import convert
from rnnapps.verbs.saved import read_saved, saved_configuration

__all__ = [
    "applied_groups",
    "configure",
    "option_names",
    "options_of_others",
    "read_configuration",
    "read_options",
    "refuse_without_effect",
]

COMMON_GROUPS = frozenset({"data", "model", "training", "export", "seed"})
"""What every pipeline has; any other group says how a trained model is applied, unless the run fixes it."""

BARE = "training."
"""What a bare name stands for: by far most of what is changed from one training to the next."""

PYTHON = "given from Python"
"""Where a setting comes from, for errors."""

AnyPipeline = Pipeline[Any, Any, Any]


def applied_groups(pipeline: AnyPipeline, verb: str = "") -> frozenset[str]:
    """The groups of settings that say how a trained model is applied: `predict` and `stream` take them too.

    Args:
        pipeline: the application.
        verb: one of both; leaves out what says nothing to it.
    """
    fields = frozenset(field.name for field in dataclasses.fields(pipeline.config_class))
    return fields - COMMON_GROUPS - pipeline.run_fixes - options_of_others(pipeline, verb)


def option_names(pipeline: AnyPipeline) -> list[str]:
    """The options of `predict`, the pipeline's own first; the first of all names the input."""
    own = list(vars(pipeline.predict_class).get("__annotations__", {}))
    return own + [field.name for field in dataclasses.fields(pipeline.predict_class) if field.name not in own]


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
    dotted = _by_dotted_key(pipeline, given)
    for key in dotted:
        if key not in kinds:
            typed = key if key in given else key.removeprefix(BARE)
            bare = [key.removeprefix(BARE) for key in kinds if key.startswith(BARE)]
            hint = settings.nearest(typed, kinds) or settings.nearest(typed, bare)
            raise ConfigError(f"{pipeline.name} has no setting {typed!r}{hint}")
    config = settings.assemble(pipeline.config_class, {**base, **_typed(pipeline.config_class, dotted)})
    refuse_without_effect(pipeline, config, dotted)
    return config


def refuse_without_effect(pipeline: AnyPipeline, config: Any, given: Iterable[str]) -> None:
    """Raises ConfigError for a setting that was given, differs from its default and means nothing beside the others.

    Args:
        pipeline: the application.
        config: the whole configuration.
        given: dotted keys that a user has set.
    """
    idle = pipeline.without_effect(config)
    defaults, now = settings.flatten(pipeline.config_class()), settings.flatten(config)
    for key in given:
        if key in idle and now[key] != defaults[key]:
            raise ConfigError(f"{key} {now[key]} would change nothing: {idle[key]}; leave it out")


def read_configuration(pipeline: AnyPipeline, path: Path) -> dict[str, Any]:
    """Dotted key -> value of the configuration of a run, an export, or a YAML file.

    Raises:
        ConfigError: there is none, or it is of another pipeline.
    """
    kinds = settings.setting_types(pipeline.config_class)
    file = None if path.is_file() else saved_configuration(path)
    if file is not None:
        read = read_saved(pipeline, file, kinds)
    elif path.is_file():
        read = yaml_files.read(path, kinds, pipeline_name=pipeline.name)
    else:
        raise ConfigError(f"{path}: holds no configuration; name a run folder, an export or a YAML file")
    found = convert(pipeline.config_class, read)
    return {key: setting.value for key, setting in found.items()}


def options_of_others(pipeline: AnyPipeline, verb: str) -> frozenset[str]:
    """The options of `predict_class`, and groups of settings, that say nothing to a verb."""
    return {"predict": pipeline.stream_only, "stream": pipeline.predict_only}.get(verb, frozenset())


def read_options(pipeline: AnyPipeline, given: Mapping[str, Any], verb: str = "predict") -> Any:
    """Options of `predict` or `stream`.

    Raises:
        ConfigError: an option does not exist, or not for this verb, or its value is of another type or out of range.
    """
    others = options_of_others(pipeline, verb)
    known = [name for name in option_names(pipeline) if name not in others]
    for name in given:
        if name.partition(".")[0] in others:
            raise ConfigError(
                f"{verb} has no option {name!r}: it is one of {'predict' if verb == 'stream' else 'stream'}"
            )
        if name not in known:
            raise ConfigError(
                f"{pipeline.name} has no option {name!r} of {verb}{settings.nearest(name, known)}; "
                f"there are {', '.join(known)}"
            )
    return pipeline.predict_class(**{**pipeline.python_defaults, **_typed(pipeline.predict_class, given)})


def _by_dotted_key(pipeline: AnyPipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Groups opened up, and the prefix of bare names added."""
    groups = {key.partition(".")[0] for key in settings.setting_types(pipeline.config_class) if "." in key}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in groups and not isinstance(value, Mapping):
            raise ConfigError(f"{name} is a group of settings, {name}={{NAME: VALUE}}; {value!r} is no mapping")
        if name in groups:
            found |= dotted(value, f"{name}.")
        else:
            found[name if "." in name or name == "seed" else BARE + name] = value
    return found


def _typed(config_class: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a dataclass by dotted key, as its annotations have them."""
    placed = {key: settings.Setting(_plain(value), PYTHON) for key, value in values.items()}
    return {key: setting.value for key, setting in convert(config_class, placed).items()} if placed else {}


def _plain(value: Any) -> Any:
    """As YAML has it: NumPy's scalars, tuples and paths are unknown there."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value.item() if getattr(value, "ndim", None) == 0 else value
