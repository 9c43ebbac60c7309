"""From data to a served model in some minutes: the task is recognised, a short search is made, the best is exported."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.contract.data_report import DataReport
from rnnapps.contract.evaluation import Evaluation
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.recognised import Recognised
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.search.cut import settled_steps
from rnnapps.search.found import Found
from rnnapps.search.journal import require_optuna
from rnnapps.search.recognition import choose_task, recognised_by
from rnnapps.search.tune import Wanted, tune
from rnnapps.verbs import yaml_files
from rnnapps.verbs.configure import configure, read_configuration
from rnnapps.verbs.look import look_at_data, measured_costs
from rnnapps.verbs.opening import open_model
from rnnapps.verbs.pipelines import configurations, find_pipeline
from rnnapps.verbs.runs import read_evaluation
from rnnapps.verbs.settings import flatten

__all__ = ["Fit", "fit", "starting_configuration"]

AnyPipeline = Pipeline[Any, Any, Any]

BEGUN = "fit.json"
SETTINGS = "config.yaml"
EXPORTED = "exported.json"
AS_IT_IS = Path("search", "trials", "000")
STARTING = "demo"
"""The shipped configuration that is begun with: made for two cores and a few minutes."""

SEARCHED = 0.75
"""The share of the minutes for the search; the rest looks at the data, evaluates and exports."""


@dataclass(frozen=True)
class Fit:
    """What became of the data.

    Attributes:
        folder: where everything lies.
        task: name of the pipeline.
        why: what the data were taken for.
        others: other tasks that they may be of -> why.
        data: what was understood of them.
        told: what was settled for them, a line each.
        found: the search; None without Optuna, where one training has taken its time.
        run: the best run.
        evaluation: the best on test data, beside the naive baselines; None where it could not be evaluated.
        export: the version that was exported; None where a baseline wins.
    """

    folder: Path
    task: str
    why: str
    others: Mapping[str, str]
    data: DataReport
    told: list[str]
    found: Found | None
    run: Path
    evaluation: Evaluation | None
    export: Path | None

    @property
    def is_refused(self) -> bool:
        """Whether a naive baseline is better than the model."""
        return bool(self.evaluation and self.evaluation.verdict and self.evaluation.verdict.outcome == "worse")

    def as_dict(self) -> dict[str, Any]:
        """All of it, as JSON can hold it."""
        return {
            "folder": self.folder,
            "task": self.task,
            "why": self.why,
            "others": self.others,
            "told": self.told,
            "data": self.data.as_dict(),
            "search": self.found.as_dict() if self.found else None,
            "run": self.run,
            "evaluation": self.evaluation.as_dict() if self.evaluation else None,
            "export": self.export,
        }


def fit(
    source: str,
    folder: Path,
    *,
    minutes: float,
    task: str | None = None,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> Fit:
    """Makes a model of data, or goes on where it was stopped.

    Args:
        source: a file or folder.
        folder: where everything goes; the same folder goes on.
        minutes: how long it may take, about.
        task: the pipeline; None to recognise it.
        say: is told in a line what is being done.

    Raises:
        DataError: the data are not recognised, or cannot be read.
        RnnappsError: of the kind that fits.
    """
    from rnnapps.training.run import RunFolder

    found = recognised_by(source)
    name = choose_task(source, found, task)
    pipeline, recognised = find_pipeline(name), found.get(name, Recognised("as --task says"))
    say(f"{source}: {name.replace('_', ' ')}, for it is {recognised.why}")
    begun = _begin(pipeline, source, folder, recognised, minutes=minutes)
    config = configure(pipeline, read_configuration(pipeline, folder / SETTINGS), {})
    report = look_at_data(pipeline, config)
    search = _searched(pipeline, config, folder, minutes=begun["minutes"], say=say)
    run = search.run if search else None
    if run is None:
        if search:
            say("the time is over: the configuration as it is, is trained to its end all the same")
        run = _trained(pipeline, config, folder / (AS_IT_IS if search else "run"))
    made = Fit(
        folder=folder,
        task=name,
        why=recognised.why,
        others={other: each.why for other, each in found.items() if other != name},
        data=report,
        told=begun["told"],
        found=search,
        run=run,
        evaluation=read_evaluation(RunFolder(run)),
        export=None,
    )
    if made.is_refused:
        return made
    return dataclasses.replace(made, export=_exported(pipeline, run, folder))


def starting_configuration(pipeline: AnyPipeline, source: str, recognised: Recognised) -> tuple[Any, list[str]]:
    """The shipped configuration for these data, with what a look at them suggests; and what was changed, in words."""
    shipped = configurations(pipeline)
    file = shipped.get(STARTING) or next(iter(shipped.values()), None)
    base = read_configuration(pipeline, file) if file else {}
    base = {key: value for key, value in base.items() if not key.startswith("data.")}
    config = configure(pipeline, base, {"data.source": source, **recognised.settings})
    told = [f"{key} {value}: {recognised.why}" for key, value in recognised.settings.items()]
    for suggestion in look_at_data(pipeline, config).suggestions:
        try:
            config = configure(pipeline, flatten(config), {suggestion.flag: suggestion.value})
        except ConfigError:
            continue  # it does not go with the others
        told.append(f"{suggestion.flag} {suggestion.value}: {suggestion.reason}")
    return config, told


def _begin(
    pipeline: AnyPipeline, source: str, folder: Path, recognised: Recognised, *, minutes: float
) -> Mapping[str, Any]:
    """What was settled when the folder was begun; settles it for a new one."""
    path = folder / BEGUN
    if path.exists():
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            begun: dict[str, Any] = {name: read[name] for name in ("task", "source", "minutes", "told")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}: cannot be read ({error}); name another folder with --to") from None
        if (begun["task"], begun["source"]) != (pipeline.name, source):
            was = f"{begun['task']} of {begun['source']}"
            raise ConfigError(f"{folder}: was begun for {was}; name another folder with --to")
        return {**begun, "minutes": max(begun["minutes"], minutes)}
    if folder.exists() and (not folder.is_dir() or {each.name for each in folder.iterdir()} - {SETTINGS}):
        raise CheckpointError(f"{folder}: holds something else; name a new folder with --to")
    config, told = starting_configuration(pipeline, source, recognised)
    costs = measured_costs(pipeline, config)
    first = float(costs["seconds to compile a training step"])
    step = max(float(costs["seconds of a training step"]), 1e-4)
    config, more = settled_steps(config, minutes * 60 * SEARCHED, first=first, step=step, searching=_can_search())
    told += more
    begun = {
        "task": pipeline.name,
        "source": source,
        "minutes": minutes,
        "told": told,
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / SETTINGS, yaml_files.dump(pipeline.name, config).encode())
    write_atomically(path, json.dumps(begun, indent=1).encode())
    return begun


def _can_search() -> bool:
    try:
        require_optuna()
    except ConfigError:
        return False
    return True


def _searched(
    pipeline: AnyPipeline, config: Any, folder: Path, *, minutes: float, say: Callable[[str], None]
) -> Found | None:
    if not _can_search():
        say("without a search, for which Optuna is missing: pip install 'rnnapps[tune]'")
        return None
    return tune(pipeline, config, folder / "search", Wanted(minutes=minutes * SEARCHED), say=say)


def _trained(pipeline: AnyPipeline, config: Any, run: Path) -> Path:
    """A run of the configuration as it is, trained to its end and evaluated."""
    from rnnapps.verbs.train import train

    return train(pipeline, config, run, judged=True).model.path


def _exported(pipeline: AnyPipeline, run: Path, folder: Path) -> Path:
    """The export of a run: that of an earlier call, if there is one."""
    from rnnapps.verbs.export import export

    path = folder / EXPORTED
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    version = Path(known.get(run.name, ""))
    if run.name not in known or not version.is_dir():
        config = configure(pipeline, read_configuration(pipeline, run), {})
        model = folder / "model"
        version = model / export(pipeline, open_model(pipeline, run, config), model).name
        write_atomically(path, json.dumps({**known, run.name: str(version)}).encode())
    return version
