"""Which task data are of, as the installed pipelines see it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from rnnapps.contract.recognised import Recognised
from rnnapps.errors import ConfigError, DataError
from rnnapps.verbs.pipelines import find_pipeline, pipeline_entries

__all__ = ["choose_task", "recognised_by"]


def recognised_by(source: str) -> dict[str, Recognised]:
    """Name of a pipeline -> what it takes the data for; only those that recognise them.

    Raises:
        DataError: there is no such file or folder, or it cannot be read.
    """
    if not Path(source).exists():
        raise DataError(source, "does not exist", "name a file or a folder of data")
    found: dict[str, Recognised] = {}
    for name in pipeline_entries():
        with contextlib.suppress(ConfigError):  # one that is broken has nothing to say here
            recognised = find_pipeline(name).recognise(source)
            if recognised is not None:
                found[name] = recognised
    return found


def choose_task(source: str, found: Mapping[str, Recognised], task: str | None = None) -> str:
    """The name of the pipeline that the data are for.

    Args:
        source: of the data, for errors.
        found: who recognises them.
        task: the name, where the user has said it.

    Raises:
        ConfigError: no pipeline has that name.
        DataError: no pipeline recognises the data, or several do that are equally near.
    """
    if task is not None:
        return find_pipeline(task).name
    nearest = [name for name, recognised in found.items() if recognised.plain] or list(found)
    if len(nearest) == 1:
        return nearest[0]
    if not nearest:
        known = ", ".join(pipeline_entries())
        raise DataError(source, "is not recognised", f"say what it is for with --task, one of {known}")
    readings = " or ".join(f"--task {name} ({found[name].why})" for name in nearest)
    raise DataError(source, "may be of several tasks", f"say which: {readings}")
