"""Settings that come from files: of `--config`, and of the run or model that a command names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnnapps.cli.typed_flags import values_of
from rnnapps.cli.verb_table import VERBS
from rnnapps.contract.pipeline import Pipeline
from rnnapps.verbs import settings, yaml_files
from rnnapps.verbs.conversion import convert
from rnnapps.verbs.pipelines import find_configuration
from rnnapps.verbs.saved import read_saved, saved_configuration
from rnnapps.zoo import resolved

__all__ = ["read_files"]


def read_files(
    pipeline: Pipeline[Any, Any, Any], verb: str, argv: Sequence[str], kinds: Mapping[str, Any]
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
    for flag in ("from", "run", "search"):
        for value in values_of(argv, flag) if flag in VERBS[verb].flags else []:
            path = saved_configuration(resolved(value))
            if path is not None:
                inherited |= read_saved(pipeline, path, kinds)
    from_files: dict[str, settings.Setting] = {}
    for value in values_of(argv, "config") if "config" in VERBS[verb].flags else []:
        file = find_configuration(pipeline, value)
        from_files |= yaml_files.read(file, kinds, pipeline_name=pipeline.name)
    return convert(pipeline.config_class, inherited), convert(pipeline.config_class, from_files)
