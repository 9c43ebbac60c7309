"""Where Python users begin: a trained model is loaded, or a new one trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rnnapps.contract.pipeline import Pipeline
from rnnapps.errors import CheckpointError
from rnnapps.verbs import yaml_files
from rnnapps.verbs.configure import configure, read_configuration
from rnnapps.verbs.data import with_data
from rnnapps.verbs.model import Model
from rnnapps.verbs.opening import open_model, require_folder
from rnnapps.verbs.pipelines import find_configuration, find_pipeline
from rnnapps.verbs.runs import new_run_path
from rnnapps.verbs.saved import saved_configuration
from rnnapps.zoo import resolved

__all__ = ["ensemble", "load", "train"]


def load(path: str | Path) -> Model[Any, Any, Any]:
    """Loads a trained model.

    Args:
        path: a run folder, a version folder of an export, a folder of versions, whose newest one is taken, or
            `zoo:<name>`, a trained model of the package rnnapps-models.

    Raises:
        CheckpointError: it is none of them, or holds no state yet.
        ExportError: a file of the export is missing or was changed.
        ConfigError: its pipeline is not installed.
    """
    folder = resolved(path)
    require_folder(folder)
    file = saved_configuration(folder)
    if file is None:
        raise CheckpointError(f"{folder}: holds no configuration; name a run folder or an exported model")
    pipeline = find_pipeline(yaml_files.read_pipeline_name(file))
    config = configure(pipeline, read_configuration(pipeline, folder), {})
    return Model(pipeline, open_model(pipeline, folder, config))


def ensemble(runs: Sequence[str | Path], *, run: str | Path, data: Any = None) -> Model[Any, Any, Any]:
    """Joins runs of one pipeline, on the same data, to a model whose answers are the mean of theirs.

    Args:
        runs: folders of the runs, two or more.
        run: the folder of the new run.
        data: their examples again, where they came from memory.

    Raises:
        RnnappsError: of the kind that fits: a folder is no run, the runs cannot be one, their data have changed.
    """
    from rnnapps.verbs.ensemble import ensemble as join_runs
    from rnnapps.verbs.ensemble import require_members

    paths = [Path(each) for each in runs]
    require_members(paths, Path(run))
    pipeline = find_pipeline(yaml_files.read_pipeline_name(paths[0] / "config.yaml"))
    joint = join_runs(pipeline, paths, Path(run), given=data, judged=False)
    return Model(pipeline, joint.model, joint.splits)


def train(
    pipeline: str | Pipeline[Any, Any, Any],
    data: Any = None,
    *,
    run: str | Path | None = None,
    config: str | Path | None = None,
    **changes: Any,
) -> Model[Any, Any, Any]:
    """Trains a model, or goes on with the run if its folder exists.

    Args:
        pipeline: a name that `rnnapps list` shows, or a pipeline.
        data: where the examples come from: a source as for `--data.source` (a text or a path), or the examples
            themselves as the page of the task describes them, or a mapping of settings of the group `data` whose
            `source` is one of both. None takes what the settings say, built-in data by default.
        run: the run folder; by default one named after the moment, `runs/<pipeline>/<cell>-<date>-<time>`.
        config: a YAML file of settings, or the name of a shipped one. What it leaves out has the value of the run that
            is gone on with, or its default.
        changes: settings: a group by its name (`model={"cell": "lstm"}`), or one of the group `training`, or the seed,
            by its bare name (`steps=500`).

    Raises:
        RnnappsError: of the kind that fits.
    """
    from rnnapps.verbs.train import train as train_run

    task = find_pipeline(pipeline) if isinstance(pipeline, str) else pipeline
    base = read_configuration(task, Path(run)) if run and saved_configuration(Path(run)) else {}
    if config:
        base |= read_configuration(task, find_configuration(task, str(config)))
    settled, given = with_data(task, base, data, changes)
    path = Path(run) if run else new_run_path(task, settled)
    trained = train_run(task, settled, path, given=given)
    return Model(task, trained.model, trained.splits)
