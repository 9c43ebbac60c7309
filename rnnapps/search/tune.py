"""Searches for better settings of a pipeline, or goes on with a search."""

from __future__ import annotations

import contextlib
import fcntl
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnapps.atomic import write_atomically
from rnnapps.config import dotted
from rnnapps.contract.pipeline import Pipeline
from rnnapps.contract.splits import Splits
from rnnapps.errors import CheckpointError, ConfigError
from rnnapps.search.budget import Budget
from rnnapps.search.found import Found, conclude
from rnnapps.search.journal import Journal, require_optuna
from rnnapps.search.space import Space, search_space, space_as_text, space_from_text
from rnnapps.search.state import Search
from rnnapps.search.work import begin, work
from rnnapps.verbs import yaml_files
from rnnapps.verbs.building import build_run
from rnnapps.verbs.data import read_examples
from rnnapps.verbs.settings import flatten, nest

__all__ = ["BEGUN", "Wanted", "tune"]

AnyPipeline = Pipeline[Any, Any, Any]

BEGUN = "search.json"
"""What a search was begun with."""

KEPT = ("pipeline", "settings", "data", "space", "metric", "higher_is_better")


@dataclass(frozen=True)
class Wanted:
    """What is asked of a search.

    Attributes:
        minutes: of work, over all its processes and calls; None for what it was begun with, 20 for a new one.
        settings: to vary, instead of all that are declared: `NAME`, `NAME=LOW..HIGH` or `NAME=A,B,C`.
        cells: names of cells to try too; "all" for every one.
        most: configurations to try beside the one as it is; 0 for as many as there is time for.
        judged: score the best, and the configuration as it is, on test data in the end.
    """

    minutes: float | None = None
    settings: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    most: int = 0
    judged: bool = True


def tune(
    pipeline: AnyPipeline,
    config: Any,
    folder: Path,
    wanted: Wanted,
    *,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> Found:
    """Searches for better settings until the time is over, or goes on with a search whose folder exists.

    Args:
        pipeline: the application.
        config: the configuration that is searched around; it is trained first, as it is.
        folder: of the search: its journal, its runs, its report.
        wanted: time, settings...
        say: is told in a line what was done.

    Raises:
        ConfigError: Optuna is missing, a setting does not exist, or the search was begun with other settings or
            data.
        RnnappsError: of the kind that fits: the data, the folder, the configuration as it is.
    """
    require_optuna()
    space = search_space(pipeline, config, asked=wanted.settings, cells=wanted.cells)
    begun = _read(folder)
    if begun:
        asked = space if wanted.settings or wanted.cells else None
        space = _require_same(pipeline, config, folder, asked=asked, begun=begun)
    splits = read_examples(pipeline, config)
    if begun and begun["data"] != splits.digest():
        raise ConfigError(
            f"{folder}: the data have changed since this search was begun: restore them, or begin another"
        )
    if not begun:
        begun = _begin(pipeline, config, folder, splits=splits, space=space)
    journal = Journal(folder, higher_is_better=begun["higher_is_better"])
    search = Search(
        pipeline=pipeline,
        config=config,
        space=space,
        folder=folder,
        splits=splits,
        journal=journal,
        budget=Budget(journal, wanted.minutes),
        metric=begun["metric"],
        higher_is_better=begun["higher_is_better"],
        most=wanted.most,
        say=say,
    )
    say(f"search: {folder}, {search.budget.left() / 60:.1f} of {search.budget.minutes:g} minutes left")
    with _alone(folder):
        begin(search)
    work(search)
    return conclude(search, judged=wanted.judged)


def _read(folder: Path) -> dict[str, Any]:
    """What a search was begun with; empty for a new one."""
    path = folder / BEGUN
    if folder.exists() and not folder.is_dir():
        raise CheckpointError(f"{folder}: it is a file; --search names a folder, new or of a search")
    if not path.exists():
        if folder.is_dir() and any(folder.iterdir()):
            raise CheckpointError(f"{folder}: holds no search, but something else; name a new folder with --search")
        return {}
    try:
        begun: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {name: begun[name] for name in KEPT}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}); begin another search") from None


def _require_same(
    pipeline: AnyPipeline, config: Any, folder: Path, *, asked: Space | None, begun: Mapping[str, Any]
) -> Space:
    """The space of a search that is gone on with; raises ConfigError, unless it was begun with the same settings."""
    if begun["pipeline"] != pipeline.name:
        raise ConfigError(f"{folder}: this search is one of {begun['pipeline']}; use another --search")
    now, before = dotted(nest(flatten(config))), dotted(begun["settings"])
    # What is in the one alone came with another version of rnnapps, and says nothing.
    changed = ", ".join(key for key, value in now.items() if key in before and before[key] != value)
    if changed:
        raise ConfigError(f"{folder}: this search was begun with other settings ({changed}); use another --search")
    if asked is not None and space_as_text(asked) != begun["space"]:
        raise ConfigError(f"{folder}: this search was begun over other settings or cells; use another --search")
    return space_from_text(begun["space"])


def _begin(pipeline: AnyPipeline, config: Any, folder: Path, *, splits: Splits, space: Space) -> dict[str, Any]:
    """Writes what the search is begun with, once it is known that its network can be built."""
    from rnnapps.training.run import RunFolder

    _, objective = build_run(pipeline, config, RunFolder(folder / "trials" / "000"), splits=splits)
    begun = {
        "pipeline": pipeline.name,
        "settings": nest(flatten(config)),
        "data": splits.digest(),
        "space": space_as_text(space),
        "metric": objective.metric,
        "higher_is_better": objective.higher_is_better,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "config.yaml", yaml_files.dump(pipeline.name, config).encode())
        write_atomically(folder / BEGUN, json.dumps(begun, indent=1).encode())
    except OSError as error:
        problem = f"cannot be written: {error.strerror or error}"
        raise CheckpointError(f"{folder}: {problem}; choose another --search") from error
    return begun


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process begins the same search."""
    with open(folder / ".lock", "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
