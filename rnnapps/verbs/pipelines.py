"""The installed pipelines, by name; and the configurations that come with them."""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import ConfigError
from rnnapps.verbs.settings import nearest

__all__ = ["PIPELINE_GROUP", "configurations", "find_configuration", "find_pipeline", "pipeline_entries"]

PIPELINE_GROUP = "rnnapps.pipelines"
"""Entry points by which this package, and any other, offers pipelines."""

AnyPipeline = Pipeline[Any, Any, Any]


def pipeline_entries() -> dict[str, EntryPoint]:
    """Pipeline name -> entry point, in alphabetical order; nothing is loaded."""
    return {entry.name: entry for entry in sorted(entry_points(group=PIPELINE_GROUP), key=lambda entry: entry.name)}


def find_pipeline(name: str) -> AnyPipeline:
    """Loads a pipeline.

    Raises:
        ConfigError: there is none of this name, or it cannot be loaded.
    """
    entries = pipeline_entries()
    if name not in entries:
        hint = nearest(name, entries) or f"; there are {', '.join(entries) or 'none: install the package'}"
        raise ConfigError(f"no pipeline is called {name!r}{hint}")
    try:
        pipeline = entries[name].load()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"the pipeline {name!r} ({entries[name].value}) cannot be loaded: {reason}") from error
    if not isinstance(pipeline, Pipeline):
        raise ConfigError(f"{entries[name].value}: is no Pipeline; name an instance of a subclass in its entry point")
    return pipeline


def configurations(pipeline: AnyPipeline) -> dict[str, Path]:
    """Name -> file of the configurations that come with a pipeline: `configs/*.yaml` beside its module."""
    folder = Path(inspect.getfile(type(pipeline))).parent / "configs"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_configuration(pipeline: AnyPipeline, name: str) -> Path:
    """The file that `--config` names: a path, or the name of a configuration that comes with the pipeline.

    Raises:
        ConfigError: there is neither.
    """
    path, known = Path(name), configurations(pipeline)
    if path.is_file() or name not in known:
        if not path.exists() and path.name == name and not path.suffix:
            hint = nearest(name, known) or (f"; it has {', '.join(known)}" if known else "")
            raise ConfigError(f"--config {name}: no such file, and no configuration of {pipeline.name}{hint}")
        return path
    return known[name]
