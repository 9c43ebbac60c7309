"""Configurations as dotted keys, and back."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from rnnapps.errors import ConfigError

__all__ = [
    "Setting",
    "assemble",
    "describe",
    "flatten",
    "nearest",
    "nest",
    "resolve_annotations",
    "setting_types",
]

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


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and dataclasses.is_dataclass(kind)


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
