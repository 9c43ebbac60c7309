"""Values as YAML and Python users write them, as the annotated types have them."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Mapping
from typing import Any

from rnnapps.config import dotted
from rnnapps.errors import ConfigError
from rnnapps.verbs import settings

__all__ = ["TEXTS", "convert"]

TEXTS = tuple[str, ...]
"""The type of a list of names, which may be numbers: columns called 2024, or counted."""


def convert(config_class: type, found: Mapping[str, settings.Setting]) -> dict[str, settings.Setting]:
    """Brings each setting of a dataclass, by its dotted key, to its type.

    Raises:
        ConfigError: a value is of another type; the message begins with the place of the setting.
    """
    import jsonargparse

    kinds = settings.setting_types(config_class)
    settings.resolve_annotations(config_class)
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(config_class)
    converted = {}
    for key, setting in found.items():
        try:
            given = _texts(setting.value) if kinds[key] == TEXTS else setting.value
            value = dotted(parser.parse_object(settings.nest({key: given})).as_dict())[key]
        except (argparse.ArgumentError, TypeError, ValueError):
            raise ConfigError(
                f"{setting.place}: {key} must be {settings.describe(kinds[key])}, not '{setting.value}'"
            ) from None
        converted[key] = settings.Setting(value, setting.place)
    return converted


def _texts(value: Any) -> Any:
    """A list whose numbers and dates are texts; anything else as it is."""
    if not isinstance(value, list | tuple):
        return value
    plain = (int, float, datetime.date)
    return [str(item) if isinstance(item, plain) and not isinstance(item, bool) else item for item in value]
