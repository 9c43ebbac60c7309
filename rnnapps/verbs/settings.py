"""Configurations as dotted keys: from YAML files with the line of each key, and back."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rnnapps.errors import ConfigError

__all__ = [
    "Setting",
    "assemble",
    "describe",
    "dotted",
    "dump",
    "flatten",
    "nearest",
    "nest",
    "read",
    "read_pipeline_name",
    "resolve_annotations",
    "setting_types",
]

PIPELINE_KEY = "pipeline"
WORDS = {bool: "true or false", float: "a number", int: "a whole number", str: "text"}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One value of a configuration file.

    Attributes:
        value: as YAML reads it, not yet of the annotated type.
        place: "FILE: line N", for errors.
    """

    value: Any
    place: str


def setting_types(config_class: type, prefix: str = "") -> dict[str, Any]:
    """Dotted key -> type of every setting of a configuration dataclass, nested dataclasses opened up."""
    found: dict[str, Any] = {}
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        key, kind = prefix + field.name, hints[field.name]
        found |= setting_types(kind, f"{key}.") if _is_group(kind) else {key: kind}
    return found


def resolve_annotations(config_class: type) -> None:
    """Replaces a configuration's annotations, text under `from __future__ import annotations`, by the types they name.

    jsonargparse would resolve them by running the module's `if TYPE_CHECKING:` imports, TensorFlow among them.
    """
    hints = typing.get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        field.type = hints[field.name]
        config_class.__init__.__annotations__[field.name] = hints[field.name]  # type: ignore[misc]
        if _is_group(hints[field.name]):
            resolve_annotations(hints[field.name])


def assemble(config_class: type, values: Mapping[str, Any]) -> Any:
    """Builds a configuration dataclass from dotted keys; a missing key takes the default of the configuration.

    Raises:
        ConfigError: a value is outside its range; the message starts with its dotted key.
    """
    # A group's own defaults may differ from those that the configuration gives the group.
    return _assembled(config_class, {**flatten(config_class()), **values}, "")


def _assembled(config_class: type, values: Mapping[str, Any], prefix: str) -> Any:
    hints = typing.get_type_hints(config_class)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):
        key, kind = prefix + field.name, hints[field.name]
        if _is_group(kind):
            arguments[field.name] = _assembled(kind, values, f"{key}.")
        elif key in values:
            arguments[field.name] = values[key]
    try:
        return config_class(**arguments)
    except ConfigError as error:
        raise error if str(error).startswith(prefix) else ConfigError(f"{prefix}{error}") from None
    except TypeError as error:
        raise ConfigError(f"{prefix.rstrip('.') or 'configuration'}: {error}") from None


def flatten(config: Any, prefix: str = "") -> dict[str, Any]:
    """Dotted key -> value of every setting of a configuration."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        key, value = prefix + field.name, getattr(config, field.name)
        found |= flatten(value, f"{key}.") if dataclasses.is_dataclass(value) else {key: value}
    return found


def dotted(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by dotted key: {"model": {"units": 8}} -> {"model.units": 8}."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        found |= dotted(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turns dotted keys into nested dicts."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *groups, name = key.split(".")
        level = nested
        for group in groups:
            level = level.setdefault(group, {})
        level[name] = list(value) if isinstance(value, tuple) else value
    return nested


def dump(pipeline_name: str, config: Any) -> str:
    """The configuration as YAML, its pipeline named first."""
    import yaml

    content = {PIPELINE_KEY: pipeline_name, **nest(flatten(config))}
    return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read(path: str | Path, known: Iterable[str], *, pipeline_name: str) -> dict[str, Setting]:
    """Reads a YAML configuration file.

    Args:
        path: the file.
        known: every dotted key the configuration has.
        pipeline_name: the only value allowed for the optional key `pipeline`.

    Raises:
        ConfigError: the file is missing, is not YAML, or has a key that does not exist or occurs twice.
    """
    import yaml

    path = Path(path)
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        settings = dict(_walk(path, loader, root, known=set(known))) if root else {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigError(f"{path}: cannot read the configuration: {reason}; name a YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        raise ConfigError(f"{path}:{line} not YAML: {getattr(error, 'problem', None) or 'cannot be parsed'}") from None
    named = settings.pop(PIPELINE_KEY, None)
    if named and named.value != pipeline_name:
        raise ConfigError(f"{named.place}: this is for the pipeline '{named.value}', not '{pipeline_name}'")
    return settings


def read_pipeline_name(path: Path) -> str:
    """The pipeline that a configuration file is for.

    Raises:
        ConfigError: the file cannot be read, or does not say.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read as YAML ({type(error).__name__}); restore the file") from None
    name = content.get(PIPELINE_KEY) if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise ConfigError(f"{path}: does not say which pipeline it is for; it needs a line `pipeline: NAME`")
    return name


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


def _walk(path: Path, loader: Any, node: Any, *, known: set[str], prefix: str = "") -> Iterator[tuple[str, Setting]]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        name = prefix.rstrip(".") or "the file"
        raise ConfigError(f"{path}: line {node.start_mark.line + 1}: {name} must hold `key: value` lines")
    seen = set()
    for key_node, value_node in node.value:
        key, place = f"{prefix}{key_node.value}", f"{path}: line {key_node.start_mark.line + 1}"
        if key in seen:
            raise ConfigError(f"{place}: '{key}' occurs twice; remove one of them")
        seen.add(key)
        if key in known or key == PIPELINE_KEY:
            yield key, Setting(loader.construct_object(value_node, deep=True), place)
        elif any(other.startswith(f"{key}.") for other in known):
            yield from _walk(path, loader, value_node, known=known, prefix=f"{key}.")
        else:
            raise ConfigError(f"{place}: unknown key '{key}'{nearest(key, known)}")


def nearest(name: str, choices: Iterable[str]) -> str:
    """The hint `; did you mean ...?`, empty when nothing is near."""
    choices = sorted(choices)
    tail = name.rpartition(".")[2]
    matches = difflib.get_close_matches(name, choices, n=1, cutoff=0.5) or [
        choice for choice in choices if choice.rpartition(".")[2].lstrip("-") == tail.lstrip("-")
    ]
    return f"; did you mean '{matches[0]}'?" if matches else ""


def describe(kind: Any) -> str:
    """A type in words: "a whole number", "one of adam, sgd", "a list, each item text"."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join("null" if each is type(None) else describe(each) for each in arguments)
    if origin in (list, tuple):
        return f"a list, each item {describe(arguments[0])}"
    return WORDS.get(kind, str(getattr(kind, "__name__", kind)))
