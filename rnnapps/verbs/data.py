"""The examples of a run: from its source, or as they were given from Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.data.given import MEMORY
from rnnapps.errors import ConfigError, DataError
from rnnapps.verbs.configure import configure

__all__ = ["read_examples", "require_readable", "with_data"]

LONGEST_SOURCE = 4096
"""Characters of the longest path that systems take."""


def read_examples(pipeline: Pipeline[Any, Any, Any], config: Any, given: Any = None) -> Any:
    """The examples, split.

    Args:
        pipeline: the application.
        config: its settings.
        given: examples from Python, in the forms that the pipeline's `examples` describes; None reads `data.source`.

    Raises:
        DataError: the source cannot be read, or the examples were given from Python before and are not given now.
        ConfigError: no source is named.
    """
    require_readable(config, given)
    return pipeline.examples(config) if given is None else pipeline.examples(config, given)


def require_readable(config: Any, given: object) -> None:
    """Raises DataError or ConfigError, where nothing is given and the settings name no source that can be read."""
    if given is None and getattr(config.data, "source", None) == MEMORY:
        problem = "the data of this run were given from Python and are stored nowhere"
        raise DataError(f"data.source {MEMORY}", problem, "give them again, from Python, as data=...")
    if given is None and not str(getattr(config.data, "source", "-")).strip():
        raise ConfigError(f"data.source must name a source, not {config.data.source!r}")


def with_data(
    pipeline: Pipeline[Any, Any, Any], base: Mapping[str, Any], data: Any, changes: Mapping[str, Any]
) -> tuple[Any, Any]:
    """The configuration, and the examples that were given from Python: None where `data` only says what to read.

    Args:
        pipeline: the application.
        base: dotted key -> value, to start from.
        data: as in `rnnapps.train`.
        changes: settings, as in `rnnapps.train`.

    Raises:
        ConfigError: a setting does not exist, or its value is of another type or out of range.
        DataError: the data are a long text, and no list of texts.
    """
    if data is None:
        return configure(pipeline, base, changes), None
    group = dict(data) if isinstance(data, Mapping) and "source" in data else {"source": data}
    given = None if isinstance(group["source"], str | Path) else group["source"]
    source = MEMORY if given is not None else str(group["source"])
    if len(source) > LONGEST_SOURCE or "\n" in source:
        problem = f"is a text of {len(source):,} characters, too long for the name of a source"
        raise DataError("data", problem, "give a path, or examples as a list: data=[...]")
    return configure(pipeline, base, {"data": {**group, "source": source}, **changes}), given
