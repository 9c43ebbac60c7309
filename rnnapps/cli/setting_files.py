"""Settings that come from files: of `--config`, and of the run or model that a command names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnapps.cli import settings
from rnnapps.cli.typed_flags import dotted, values_of
from rnnapps.cli.verb_table import VERBS
from rnnapps.errors import ConfigError

if TYPE_CHECKING:
    from rnnapps.contract.pipeline import Pipeline

__all__ = ["read_files"]


def read_files(
    pipeline: Pipeline[Any], verb: str, argv: Sequence[str], kinds: Mapping[str, Any]
) -> tuple[dict[str, settings.Setting], dict[str, settings.Setting]]:
    """Settings of the run or source model named in the flags, and those of `--config` files, of their right types.

    Args:
        pipeline: the application.
        verb: its verb.
        argv: the flags.
        kinds: dotted key -> type.

    Returns:
        Dotted key -> setting of the run or source model, and the same of the files; of several files the last counts.

    Raises:
        ConfigError: a file is missing, broken, of another pipeline, or holds a wrong key or value.
    """
    inherited: dict[str, settings.Setting] = {}
    for flag in ("from", "run"):
        for value in values_of(argv, flag) if flag in VERBS[verb].flags else []:
            path = _saved_config(Path(value))
            if path is not None:
                inherited |= settings.read(path, kinds, pipeline_name=pipeline.name)
    from_files: dict[str, settings.Setting] = {}
    for value in values_of(argv, "config") if "config" in VERBS[verb].flags else []:
        from_files |= settings.read(value, kinds, pipeline_name=pipeline.name)
    return _converted(pipeline, inherited, kinds), _converted(pipeline, from_files, kinds)


def _saved_config(folder: Path) -> Path | None:
    """The configuration a run folder or an export carries."""
    candidates = [folder / "config.yaml", *sorted(folder.glob("assets.extra/config.yaml"))]
    numbered = [path for path in folder.glob("*/assets.extra/config.yaml") if path.parts[-3].isdigit()]
    candidates += sorted(numbered, key=lambda path: int(path.parts[-3]), reverse=True)
    return next((path for path in candidates if path.is_file()), None)


def _converted(
    pipeline: Pipeline[Any], found: Mapping[str, settings.Setting], kinds: Mapping[str, Any]
) -> dict[str, settings.Setting]:
    import jsonargparse

    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(pipeline.Config)
    converted = {}
    for key, setting in found.items():
        try:
            value = dotted(parser.parse_object(settings.nest({key: setting.value})).as_dict())[key]
        except (argparse.ArgumentError, TypeError, ValueError):
            raise ConfigError(
                f"{setting.place}: {key} must be {settings.describe(kinds[key])}, not '{setting.value}'"
            ) from None
        converted[key] = settings.Setting(value, setting.place)
    return converted
