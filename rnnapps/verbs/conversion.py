"""Values as YAML and Python users write them, as the annotated types have them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs import settings

__all__ = ["convert"]


def convert(
    pipeline: Pipeline[Any, Any, Any], found: Mapping[str, settings.Setting], kinds: Mapping[str, Any]
) -> dict[str, settings.Setting]:
    """Brings each setting to its type.

    Raises:
        ConfigError: a value is of another type; the message begins with the place of the setting.
    """
    import jsonargparse

    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(pipeline.config_class)
    converted = {}
    for key, setting in found.items():
        try:
            value = settings.dotted(parser.parse_object(settings.nest({key: setting.value})).as_dict())[key]
        except (argparse.ArgumentError, TypeError, ValueError):
            raise ConfigError(
                f"{setting.place}: {key} must be {settings.describe(kinds[key])}, not '{setting.value}'"
            ) from None
        converted[key] = settings.Setting(value, setting.place)
    return converted
