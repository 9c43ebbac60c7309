"""What a search varies: the settings whose fields say it, or those that are asked for."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.ranges import Choices, Range, range_of
from rnnapps.verbs.configure import configure
from rnnapps.verbs.settings import flatten, nearest, setting_types

__all__ = ["CELL", "Space", "cells_to_try", "declared_space", "search_space", "space_as_text", "space_from_text"]

AnyPipeline = Pipeline[Any, Any, Any]
Space = Mapping[str, Range | Choices]
"""Dotted key -> what may be tried of it."""

CELL = "model.cell"
BOUNDS = re.compile(r"([^,]+?)\.\.([^,]+)")
DECADE = 10.0
"""Bounds that are given so far apart, and above 0, are searched by ratio."""


def search_space(pipeline: AnyPipeline, config: Any, *, asked: Sequence[str] = (), cells: Sequence[str] = ()) -> Space:
    """What a search of a pipeline varies.

    Args:
        pipeline: the application.
        config: the configuration it begins with, around whose values it looks.
        asked: settings to vary, instead of all that are declared: `NAME`, `NAME=LOW..HIGH` or `NAME=A,B,C`.
        cells: names of cells to try too; "all" for every one.

    Raises:
        ConfigError: a setting does not exist, has no range of its own, or its values are none.
    """
    declared = declared_space(pipeline, config)
    space = dict(_asked(pipeline, config, declared, words) for words in asked) if asked else declared
    tried = cells_to_try(cells)
    if tried:
        if CELL not in setting_types(pipeline.config_class):
            raise ConfigError(f"--cells: {pipeline.name} has no setting {CELL}")
        space = {CELL: Choices(tuple(dict.fromkeys([flatten(config)[CELL], *tried]))), **space}
    if not space:
        raise ConfigError(f"{pipeline.name} declares nothing to search over; name settings: --settings NAME=LOW..HIGH")
    return space


def declared_space(pipeline: AnyPipeline, config: Any) -> dict[str, Range | Choices]:
    """Every setting whose field says what may be tried, around its value; those without effect are left out."""
    now, idle = flatten(config), pipeline.without_effect(config)
    found: dict[str, Range | Choices] = {}
    for key in setting_types(pipeline.config_class):
        declared = _declared(pipeline.config_class, key)
        if declared is not None and key not in idle:
            found[key] = _around(declared, now[key])
    return found


def cells_to_try(names: Sequence[str]) -> list[str]:
    """The cells of `--cells`.

    Raises:
        ConfigError: there is no such cell.
    """
    if not names:
        return []
    from rnnapps.cells import CELLS

    if list(names) == ["all"]:
        return list(CELLS)
    for name in names:
        if name not in CELLS:
            raise ConfigError(f"--cells {name}: there is no such cell{nearest(name, CELLS)}; `rnnapps list` has them")
    return list(names)


def space_as_text(space: Space) -> dict[str, Any]:
    """The space as JSON can hold it."""
    return {
        key: {"values": list(tried.values)} if isinstance(tried, Choices) else _bounds(tried)
        for key, tried in space.items()
    }


def space_from_text(text: Mapping[str, Any]) -> Space:
    """The inverse of `space_as_text`."""
    return {
        key: Choices(tuple(tried["values"])) if "values" in tried else Range(**tried) for key, tried in text.items()
    }


def _bounds(tried: Range) -> dict[str, Any]:
    return {"low": tried.low, "high": tried.high, "logarithmic": tried.logarithmic}


def _declared(config_class: type, key: str) -> Range | Choices | None:
    """What the field of a dotted key says."""
    group, _, name = key.rpartition(".")
    owner = typing.get_type_hints(config_class)[group] if group else config_class
    return range_of(owner, name)


def _around(declared: Range | Choices, value: Any) -> Range | Choices:
    if isinstance(declared, Choices):
        return Choices(tuple(dict.fromkeys([value, *declared.values])))
    return declared.around(value)


def _asked(pipeline: AnyPipeline, config: Any, declared: Space, words: str) -> tuple[str, Range | Choices]:
    """One word of `--settings`."""
    key, equals, values = words.partition("=")
    now = flatten(config)
    if key not in now:
        raise ConfigError(f"--settings {key}: {pipeline.name} has no such setting{nearest(key, now)}")
    if not equals:
        if key not in declared:
            raise ConfigError(f"--settings {key} has no range of its own; give one: {key}=LOW..HIGH or {key}=A,B")
        return key, declared[key]
    bounds = BOUNDS.fullmatch(values)
    texts = list(bounds.groups()) if bounds else values.split(",")
    tried = tuple(_value(pipeline, config, key, text) for text in texts)
    if not bounds:
        return key, Choices(tuple(dict.fromkeys([now[key], *tried])))
    low, high = tried
    if isinstance(low, bool) or not isinstance(low, int | float) or not low < high:
        raise ConfigError(f"--settings {words}: LOW..HIGH are two numbers, the second one larger")
    own = declared.get(key)
    logarithmic = own.logarithmic if isinstance(own, Range) else low > 0 and high / low >= DECADE
    low, high = min(low, now[key]), max(high, now[key])
    return key, Range(low, high, logarithmic and low > 0)


def _value(pipeline: AnyPipeline, config: Any, key: str, text: str) -> Any:
    """A value as the setting has it; raises ConfigError, which names the setting, for one that it cannot have."""
    import yaml

    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        given = text
    return flatten(configure(pipeline, flatten(config), {key: given}))[key]
